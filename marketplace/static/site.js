/** What every page does. Pages add their own module behind this one. */

import { showConnection } from "./connection.js";
import { guardForms } from "./forms.js";
import { followNotifications } from "./notifications/bell.js";
import { keepTimesFresh } from "./realtime/format.js";
import { closeMenus, listenForSearch, openDialogs, switchSchemes } from "./shell.js";
import { adoptMessages } from "./toasts.js";

listenForSearch();
switchSchemes();
closeMenus();
openDialogs();
guardForms();
adoptMessages();
keepTimesFresh();
followNotifications();
showConnection();
