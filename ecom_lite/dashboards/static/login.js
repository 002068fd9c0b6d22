// The log-in page. The form works without this; a control link that led here keeps its token for after the log-in.

import { takeToken } from "./token.js";

takeToken();
