// The kinds of field on the label page, one file each. A kind has, and may leave out
//
//   paint(field, label)          show what is said; `label` is null where nothing is
//   pressed(field, button)       what a button of it stores: a value, null (takes it back), undefined (nothing by itself)
//   key(field)                   what the field's own key does, at the place in focus; may return a value to store
//   option(field, value)         what the key of one of its options stores
//   close(field)                 keep what is typed and not yet kept
//   watch(field)                 listen to more than presses; called once for each field that comes into the page
//
// where `field` is {element, spec, name, step, controls}: the field's element in the page, its declaration, the name it is
// asked under (with "@part" where it is asked of parts), its place, and the Controls that holds it. `field.set(value)` stores.
import { choice } from "./choice.js";
import { flag } from "./flag.js";
import { text } from "./text.js";

export const KINDS = { choice, flag, text };
