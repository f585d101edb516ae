// The kinds of field on the label page, one file each. A kind has, and may leave out
//
//   paint(field, label)          show what is said; `label` is null where nothing is
//   pressed(field, button)       what a button of it stores: a value, null (takes it back), undefined (nothing by itself)
//   key(field, step)             what the field's own key does while that step is in focus; may return a value to store
//   option(field, value)         what the key of one of its options stores; undefined: nothing
//   focus(field)                 put the focus where what is still open is answered; false where that is the step itself
//   close(field)                 keep what is typed and not yet kept
//   watch(field)                 listen to more than presses; called once for each field that comes into the page
//   gone(field)                  the field leaves the page
//   here                         what it shows at each step where it is of the trajectory: paint, pressed, close, watch,
//                                open(field); there `field.at` is the step
//   beside                       true where the place after shows it too
//
// where `field` is {element, spec, name, step, controls}: the field's element in the page, its declaration, the name it is
// asked under (with "@part" where it is asked of parts), its place, and the Controls that holds it. `field.set(value)`
// stores, `field.answer(value)` also says it, `field.say(text)` is heard. `controls.page` has `tell`, `go(step)`, `at(step)`, `done(field)`.
import { choice } from "./choice.js";
import { correction } from "./correction.js";
import { firstError } from "./first_error.js";
import { flag } from "./flag.js";
import { intervention } from "./intervention.js";
import { preference } from "./preference.js";
import { progress } from "./progress.js";
import { rubric } from "./rubric.js";
import { scale } from "./scale.js";
import { spans } from "./spans.js";
import { taxonomy } from "./taxonomy.js";
import { text } from "./text.js";

export const KINDS = { choice, correction, first_error: firstError, flag, intervention, preference, progress, rubric, scale, spans, taxonomy, text };
