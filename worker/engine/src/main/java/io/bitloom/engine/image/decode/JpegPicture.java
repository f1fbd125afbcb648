package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Rectangle;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import javax.imageio.stream.ImageInputStream;

/**
 * A JPEG file. The JDK's decoder (libjpeg) gives the components as they are stored; which colours
 * they are is decided here, as libjpeg and Pillow do, and not by the JDK.
 */
final class JpegPicture implements EncodedPicture {
  private final ImageInputStream stream;
  private final JpegSegments segments;

  private JpegPicture(ImageInputStream stream, JpegSegments segments) {
    this.stream = stream;
    this.segments = segments;
  }

  static JpegPicture open(ImageInputStream stream) throws IOException {
    return new JpegPicture(stream, JpegSegments.read(stream));
  }

  @Override
  public PictureHeader header() {
    return new PictureHeader(
        segments.width,
        segments.height,
        segments.components.length,
        segments.progressive(),
        segments.orientation,
        segments.profile());
  }

  @Override
  public RgbImage read(Rectangle part, int step, Consumer<String> remarks) throws IOException {
    long end = JpegScans.end(stream, segments);
    try (JpegStream pixels =
        new JpegStream(segments.tables.toByteArray(), stream, segments.firstScan, end)) {
      ImageIoDecoder.Decoded<Raster> raster =
          ImageIoDecoder.decode(
              pixels, "jpeg", part, step, (reader, wanted) -> reader.readRaster(0, wanted));
      for (String warning : raster.warnings()) {
        warned(warning, remarks);
      }
      byte[] components = components(raster.pixels());
      int width = raster.pixels().getWidth();
      int height = raster.pixels().getHeight();
      return new RgbImage(width, height, rgb(components));
    }
  }

  /** libjpeg warns of pixels that it makes up, and of bytes that it passes over. */
  private static void warned(String warning, Consumer<String> remarks) throws IOException {
    if (!warning.contains("extraneous bytes")) {
      throw new IOException("is damaged: " + warning);
    }
    remarks.accept("JPEG data with bytes that belong to nothing");
  }

  private byte[] components(Raster raster) throws IOException {
    int bands = segments.components.length;
    byte[] own = Samples.ownBytes(raster, bands);
    int[] offsets = IntStream.range(0, bands).toArray();
    if (own == null
        || !Arrays.equals(
            offsets, ((PixelInterleavedSampleModel) raster.getSampleModel()).getBandOffsets())) {
      throw new IOException("is JPEG of samples in an order that is not understood");
    }
    return own;
  }

  private byte[] rgb(byte[] components) {
    int bands = segments.components.length;
    if (bands == 1) {
      byte[] rgb = new byte[3 * components.length];
      for (int i = 0, at = 0; i < components.length; i++) {
        rgb[at++] = components[i];
        rgb[at++] = components[i];
        rgb[at++] = components[i];
      }
      return rgb;
    }
    if (segments.hasChroma()) {
      ChromaSamples.toRgb(components, bands);
    }
    return bands == 3 ? components : CmykSamples.rgbOfInverted(components);
  }
}
