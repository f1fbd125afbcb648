package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Rectangle;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.function.Consumer;
import javax.imageio.stream.ImageInputStream;

/** A BMP file, by the JDK's decoder, which misses pixels that are not there. */
final class BmpPicture implements EncodedPicture {
  private static final int OLD_HEADER = 12;
  private static final int DECODED_BYTES = 4;
  private static final int BIT_FIELDS = 3;

  private final ImageInputStream stream;
  private final PictureHeader header;

  private BmpPicture(ImageInputStream stream, PictureHeader header) {
    this.stream = stream;
    this.header = header;
  }

  static BmpPicture open(ImageInputStream stream) throws IOException {
    stream.setByteOrder(ByteOrder.LITTLE_ENDIAN);
    stream.seek(10);
    try {
      long pixels = stream.readUnsignedInt();
      boolean old = stream.readUnsignedInt() == OLD_HEADER;
      int width = old ? stream.readUnsignedShort() : stream.readInt();
      int height = old ? stream.readUnsignedShort() : stream.readInt();
      int rows = height == Integer.MIN_VALUE ? -1 : Math.abs(height); // negative: from the top
      stream.readUnsignedShort();
      long rowBytes = ((long) width * stream.readUnsignedShort() + 31) / 32 * 4;
      boolean packed = !old && stream.readUnsignedInt() % BIT_FIELDS != 0; // in runs
      if (!packed && pixels + rowBytes * rows > stream.length()) {
        throw new IOException("is cut off: BMP pixels are missing");
      }
      return new BmpPicture(
          stream, new PictureHeader(width, rows, DECODED_BYTES, true, Orientation.UPRIGHT, null));
    } catch (EOFException e) {
      throw new IOException("is cut off: the BMP header is not whole", e);
    }
  }

  @Override
  public PictureHeader header() {
    return header;
  }

  @Override
  public RgbImage read(Rectangle part, int step, Consumer<String> remarks) throws IOException {
    return Samples.rgb(
        ImageIoDecoder.whole(
            ImageIoDecoder.decode(
                stream, "bmp", part, step, (reader, wanted) -> reader.read(0, wanted))));
  }
}
