package io.bitloom.engine.image.decode;

import javax.imageio.ImageReader;
import javax.imageio.event.IIOReadProgressListener;

/** How far a decoder says that it came. */
final class ReadProgress implements IIOReadProgressListener {
  float percent;

  @Override
  public void imageProgress(ImageReader source, float percentageDone) {
    percent = Math.max(percent, percentageDone);
  }

  @Override
  public void sequenceStarted(ImageReader source, int minIndex) {}

  @Override
  public void sequenceComplete(ImageReader source) {}

  @Override
  public void imageStarted(ImageReader source, int imageIndex) {}

  @Override
  public void imageComplete(ImageReader source) {}

  @Override
  public void thumbnailStarted(ImageReader source, int imageIndex, int thumbnailIndex) {}

  @Override
  public void thumbnailProgress(ImageReader source, float percentageDone) {}

  @Override
  public void thumbnailComplete(ImageReader source) {}

  @Override
  public void readAborted(ImageReader source) {}
}
