import type { BackendSettings } from '../client/spawnBackend';
import { engineEnvironment, userEngineHome } from '../shell/installEngine/install';
import { backendScript } from '../shell/programs';

/** How the command line starts backends: they end with it, and find the engines that it installed. */
export function attachedBackend(): BackendSettings {
  return {
    backendScript: backendScript(),
    owner: 'attached',
    env: engineEnvironment(userEngineHome()),
  };
}
