import { existsSync } from 'node:fs';

/** A graphics device in software, which comes with Debian's chromium. */
const DRIVER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Lets WebGPU find it, here and in processes that are started from here. */
export function useSoftwareGpu(): void {
  if (existsSync(DRIVER)) process.env['VK_ICD_FILENAMES'] ??= DRIVER;
}
