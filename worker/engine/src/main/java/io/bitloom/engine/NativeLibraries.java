package io.bitloom.engine;

import io.bitloom.common.config.UserCache;

/** Where the native libraries that come inside jars are unpacked to, once for all runs. */
public final class NativeLibraries {
  private static final String JAVACPP = "org.bytedeco.javacpp.cachedir";
  private static final String DJL = "DJL_CACHE_DIR";

  private NativeLibraries() {}

  /**
   * Has them unpacked into the user's cache, unless the user said where to. Both loaders would look
   * for a home by themselves, in the folder {@code ?} where there is none. To be called before one
   * of them is used.
   */
  public static void unpackIntoCache() {
    unlessSaid(JAVACPP, "javacpp");
    if (System.getenv(DJL) == null) {
      unlessSaid(DJL, "djl");
    }
  }

  private static void unlessSaid(String property, String name) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, UserCache.folder(name).toString());
    }
  }
}
