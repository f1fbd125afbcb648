package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.function.Consumer;
import javax.imageio.stream.ImageInputStream;

/** The first picture of a TIFF file, by the JDK's decoder. */
final class TiffPicture implements EncodedPicture {
  private static final int SEPARATED = 5;
  private static final int PALETTE = 3;
  private static final int MOST_PHOTOMETRIC = 6;

  private final ImageInputStream stream;
  private final TiffDirectory directory;
  private final PictureHeader header;
  private final long photometric;

  private TiffPicture(ImageInputStream stream, TiffDirectory directory) throws IOException {
    this.stream = stream;
    this.directory = directory;
    this.photometric = directory.value(TiffDirectory.PHOTOMETRIC, 1);
    long bytes =
        directory.value(TiffDirectory.SAMPLES, 1)
            * ((directory.most(TiffDirectory.BITS, 1) + 7) / 8);
    this.header =
        new PictureHeader(
            (int) Math.min(Integer.MAX_VALUE, directory.value(TiffDirectory.WIDTH, 0)),
            (int) Math.min(Integer.MAX_VALUE, directory.value(TiffDirectory.HEIGHT, 0)),
            (int) Math.min(2 * bytes, 1 << 16), // a strip before and after it is unpacked
            true,
            directory.orientation(),
            directory.profile(PngPicture.MOST_PROFILE_BYTES));
  }

  static TiffPicture open(ImageInputStream stream) throws IOException {
    return new TiffPicture(stream, TiffDirectory.read(stream));
  }

  @Override
  public PictureHeader header() {
    return header;
  }

  @Override
  public RgbImage read(Rectangle part, int step, Consumer<String> remarks) throws IOException {
    directory.checkWhole();
    if (photometric > MOST_PHOTOMETRIC || photometric == PALETTE + 1) {
      throw new IOException(
          "is TIFF of colours that are not read (photometric " + photometric + ")");
    }
    BufferedImage image =
        ImageIoDecoder.whole(
            ImageIoDecoder.decode(
                stream, "tiff", part, step, (reader, wanted) -> reader.read(0, wanted)));
    return photometric == SEPARATED ? ofInks(image.getRaster()) : Samples.rgb(image);
  }

  private static RgbImage ofInks(Raster raster) throws IOException {
    byte[] inks = Samples.ownBytes(raster, 4);
    if (inks == null) {
      throw new IOException("is TIFF of " + raster.getNumBands() + " inks, which is not read");
    }
    return new RgbImage(raster.getWidth(), raster.getHeight(), CmykSamples.rgbOf(inks));
  }
}
