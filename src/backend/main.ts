/** The backend process: `backend.cjs <folder of a run>`. */
import { backendMain } from './server/backendMain';
import { trainJob } from './trainJob';

void backendMain(trainJob);
