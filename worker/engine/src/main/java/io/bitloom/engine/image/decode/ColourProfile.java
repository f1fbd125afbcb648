package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.color.CMMException;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.ColorConvertOp;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * The ICC profile of a picture, which says what its numbers mean.
 *
 * @param profile what the file holds
 */
record ColourProfile(byte[] profile) {
  private static final int HEADER = 128;
  private static final int RGB_AT = 16;
  private static final int MOST_TAGS = 1000;

  /** Whether the profile calls itself sRGB, so that nothing is to be done. */
  boolean isSrgb() {
    String name = name();
    return name.contains("sRGB") || name.contains("s\0R\0G\0B");
  }

  /** The description, in whichever of the two ways ICC profiles write it. */
  private String name() {
    String text = new String(profile, StandardCharsets.ISO_8859_1);
    int tags = profile.length < HEADER + 4 ? 0 : number(HEADER);
    for (int i = 0; i < Math.min(tags, MOST_TAGS); i++) {
      int at = HEADER + 4 + 12 * i;
      if (at + 12 > profile.length) {
        return "";
      }
      long start = number(at + 4) & 0xffffffffL;
      long end = start + (number(at + 8) & 0xffffffffL);
      if (text.startsWith("desc", at) && end <= profile.length) {
        return text.substring((int) start, (int) end);
      }
    }
    return "";
  }

  private int number(int at) {
    return (profile[at] & 0xff) << 24
        | (profile[at + 1] & 0xff) << 16
        | (profile[at + 2] & 0xff) << 8
        | profile[at + 3] & 0xff;
  }

  /** The picture in sRGB; as it is, with a remark, where the profile cannot be used. */
  RgbImage toSrgb(RgbImage image, Consumer<String> remarks) {
    try {
      ICC_Profile source = ICC_Profile.getInstance(profile);
      if (source.getColorSpaceType() != ColorSpace.TYPE_RGB
          || !new String(profile, RGB_AT, 4, StandardCharsets.ISO_8859_1).equals("RGB ")) {
        remarks.accept("an ICC profile that is not of RGB, which is not applied");
        return image;
      }
      ICC_Profile target = ICC_Profile.getInstance(ColorSpace.CS_sRGB);
      byte[] rgb = new byte[image.rgb().length];
      new ColorConvertOp(new ICC_Profile[] {source, target}, null)
          .filter(raster(image, image.rgb()), raster(image, rgb));
      return new RgbImage(image.width(), image.height(), rgb);
    } catch (CMMException | IllegalArgumentException e) {
      remarks.accept("a damaged ICC profile, which is not applied");
      return image;
    }
  }

  private static WritableRaster raster(RgbImage image, byte[] bytes) {
    return Raster.createInterleavedRaster(
        new DataBufferByte(bytes, bytes.length),
        image.width(),
        image.height(),
        3 * image.width(),
        3,
        new int[] {0, 1, 2},
        null);
  }
}
