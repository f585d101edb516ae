// The texts of the label page.
export { Reading as Texts } from "./reading.js";
