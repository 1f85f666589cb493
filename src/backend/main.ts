/** The backend process: `backend.cjs <folder of a run>` trains, `backend.cjs --query` answers one question. */
import { QUERY_ARGUMENT } from '../protocol/query';
import { answerQuery } from './answerQuery';
import { backendMain } from './server/backendMain';
import { trainJob } from './trainJob';

if (process.argv[2] === QUERY_ARGUMENT) answerQuery();
else void backendMain(trainJob);
