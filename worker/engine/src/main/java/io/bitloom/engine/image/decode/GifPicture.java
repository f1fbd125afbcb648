package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Consumer;
import javax.imageio.stream.ImageInputStream;

/**
 * The first frame of a GIF file on its canvas, which is filled as Pillow fills it: with the frame's
 * transparent colour, without one with the first of the palette.
 */
final class GifPicture implements EncodedPicture {
  private static final int SCREEN = 6;
  private static final int EXTENSION = 0x21;
  private static final int CONTROL = 0xf9;
  private static final int FRAME = 0x2c;
  private static final int DECODED_BYTES = 8;
  private static final float ALL = 99;

  private final ImageInputStream stream;
  private final PictureHeader header;
  private final Rectangle frame;
  private final int clear;

  private GifPicture(ImageInputStream stream, Rectangle canvas, Rectangle frame, int clear) {
    this.stream = stream;
    this.frame = frame;
    this.clear = clear;
    int width = Math.max(canvas.width, frame.x + frame.width);
    int height = Math.max(canvas.height, frame.y + frame.height);
    this.header = new PictureHeader(width, height, DECODED_BYTES, true, Orientation.UPRIGHT, null);
  }

  static GifPicture open(ImageInputStream stream) throws IOException {
    stream.setByteOrder(ByteOrder.LITTLE_ENDIAN);
    stream.seek(SCREEN);
    try {
      Rectangle canvas = new Rectangle(stream.readUnsignedShort(), stream.readUnsignedShort());
      int flags = stream.readUnsignedByte();
      int palette = (flags & 0x80) == 0 ? 0 : 3 << (flags & 7) + 1;
      stream.seek(stream.getStreamPosition() + 2 + palette);
      int clear = -1;
      int block = stream.readUnsignedByte();
      for (; block == EXTENSION; block = stream.readUnsignedByte()) {
        boolean control = stream.readUnsignedByte() == CONTROL;
        int length = stream.readUnsignedByte();
        if (control && length == 4) {
          boolean has = (stream.readUnsignedByte() & 1) != 0;
          stream.readUnsignedShort();
          int index = stream.readUnsignedByte();
          clear = has ? index : -1;
          length = stream.readUnsignedByte();
        }
        for (; length > 0; length = stream.readUnsignedByte()) {
          stream.seek(stream.getStreamPosition() + length);
        }
      }
      if (block != FRAME) {
        throw new IOException("is damaged: GIF without a frame");
      }
      int x = stream.readUnsignedShort();
      int y = stream.readUnsignedShort();
      Rectangle frame = new Rectangle(x, y, stream.readUnsignedShort(), stream.readUnsignedShort());
      return new GifPicture(stream, canvas, frame, clear);
    } catch (EOFException e) {
      throw new IOException("is cut off: the GIF data ends before the first frame", e);
    }
  }

  @Override
  public PictureHeader header() {
    return header;
  }

  @Override
  public RgbImage read(Rectangle part, int step, Consumer<String> remarks) throws IOException {
    ImageIoDecoder.Decoded<BufferedImage> decoded =
        ImageIoDecoder.decode(stream, "gif", null, 1, (reader, wanted) -> reader.read(0, wanted));
    BufferedImage image = ImageIoDecoder.whole(decoded);
    boolean single = image.getHeight() < 2; // the decoder tells of rows before it has them
    if (!single && decoded.percent() < ALL * (image.getHeight() - 2) / image.getHeight()) {
      throw new IOException("is cut off: the first GIF frame is not whole");
    }
    RgbImage pixels = Samples.rgb(image);
    if (pixels.width() != frame.width || pixels.height() != frame.height) {
      throw new IOException("is damaged: a GIF frame of two sizes");
    }
    return Samples.part(onCanvas(pixels, (IndexColorModel) image.getColorModel()), part, step);
  }

  private RgbImage onCanvas(RgbImage pixels, IndexColorModel palette) {
    if (frame.x == 0
        && frame.y == 0
        && frame.width == header.width()
        && frame.height == header.height()) {
      return pixels;
    }
    int index = clear >= 0 && clear < palette.getMapSize() ? clear : 0;
    byte[] colour = {
      (byte) palette.getRed(index), (byte) palette.getGreen(index), (byte) palette.getBlue(index)
    };
    byte[] canvas = new byte[3 * header.width() * header.height()];
    if (!Arrays.equals(colour, new byte[3])) {
      for (int i = 0; i < canvas.length; i++) {
        canvas[i] = colour[i % 3];
      }
    }
    for (int y = 0; y < frame.height; y++) {
      int at = 3 * ((frame.y + y) * header.width() + frame.x);
      System.arraycopy(pixels.rgb(), 3 * y * frame.width, canvas, at, 3 * frame.width);
    }
    return new RgbImage(header.width(), header.height(), canvas);
  }
}
