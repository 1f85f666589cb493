/** Gradients of resizing, which the plain JavaScript backend gets wrong for images that are not square or batches. */

type Shape4D = readonly [batch: number, height: number, width: number, channels: number];

/** How far apart two neighbours of the larger image lie in the smaller. */
function scaleOf(from: number, to: number, alignCorners: boolean): number {
  return alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
}

/** Calls `visit` for each pixel of the resized image with its position in the original, both per axis. */
function forEachPixel(
  [batch, height, width]: Shape4D,
  [, outHeight, outWidth]: Shape4D,
  alignCorners: boolean,
  visit: (image: number, y: number, x: number, outPixel: number) => void,
): void {
  const scaleY = scaleOf(height, outHeight, alignCorners);
  const scaleX = scaleOf(width, outWidth, alignCorners);
  let pixel = 0;
  for (let n = 0; n < batch; n += 1) {
    for (let outY = 0; outY < outHeight; outY += 1) {
      for (let outX = 0; outX < outWidth; outX += 1) {
        visit(n * height * width, outY * scaleY, outX * scaleX, pixel);
        pixel += 1;
      }
    }
  }
}

/** Adds `weight * dy[outPixel]` to `dx[pixel]`, all channels. */
function addPixel(
  dx: Float32Array,
  pixel: number,
  dy: Float32Array,
  outPixel: number,
  channels: number,
  weight: number,
): void {
  for (let c = 0; c < channels; c += 1) {
    const at = pixel * channels + c;
    dx[at] = (dx[at] ?? 0) + weight * (dy[outPixel * channels + c] ?? 0);
  }
}

/** @returns the gradient of the original image */
export function nearestGradient(
  dy: Float32Array,
  shape: Shape4D,
  outShape: Shape4D,
  alignCorners: boolean,
): Float32Array {
  const [batch, height, width, channels] = shape;
  const dx = new Float32Array(batch * height * width * channels);
  const round = alignCorners ? Math.round : Math.floor;
  forEachPixel(shape, outShape, alignCorners, (image, y, x, outPixel) => {
    const row = Math.min(height - 1, round(y));
    const column = Math.min(width - 1, round(x));
    addPixel(dx, image + row * width + column, dy, outPixel, channels, 1);
  });
  return dx;
}

/** @returns the gradient of the original image */
export function bilinearGradient(
  dy: Float32Array,
  shape: Shape4D,
  outShape: Shape4D,
  alignCorners: boolean,
): Float32Array {
  const [batch, height, width, channels] = shape;
  const dx = new Float32Array(batch * height * width * channels);
  forEachPixel(shape, outShape, alignCorners, (image, y, x, outPixel) => {
    const top = Math.floor(y);
    const left = Math.floor(x);
    const rows = [top, Math.min(height - 1, Math.ceil(y))];
    const columns = [left, Math.min(width - 1, Math.ceil(x))];
    rows.forEach((row, below) => {
      columns.forEach((column, right) => {
        const weight = (below ? y - top : 1 - (y - top)) * (right ? x - left : 1 - (x - left));
        addPixel(dx, image + row * width + column, dy, outPixel, channels, weight);
      });
    });
  });
  return dx;
}
