package io.bitloom.engine.image.decode;

/**
 * What is done about a picture's side channels.
 *
 * @param upright turns the picture as its EXIF orientation says
 * @param toSrgb converts colours of another embedded ICC profile to sRGB
 */
public record PictureOptions(boolean upright, boolean toSrgb) {
  /** Neither, as the official loader does. */
  public static final PictureOptions AS_STORED = new PictureOptions(false, false);

  /** Both, as picture viewers do. */
  public static final PictureOptions AS_SEEN = new PictureOptions(true, true);

  /** Names the options where they change pictures; empty if they do not. */
  public String id() {
    return (upright ? " upright" : "") + (toSrgb ? " srgb" : "");
  }
}
