package io.bitloom.coordinator.redis;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A Lua script. A line {@code --@include NAME} in its file stands for the file {@code
 * fragments/NAME.lua} beside it.
 *
 * @param sha1 by which Redis knows the script
 */
public record RedisScript(String name, String text, String sha1) {

  private static final String INCLUDE = "--@include ";

  /** Reads {@code NAME.lua} from the folder of a class. */
  public static RedisScript load(Class<?> owner, String name) {
    StringBuilder text = new StringBuilder();
    for (String line : read(owner, name + ".lua").split("\n")) {
      text.append(
              line.startsWith(INCLUDE)
                  ? read(owner, "fragments/" + line.substring(INCLUDE.length()) + ".lua")
                  : line)
          .append('\n');
    }
    return new RedisScript(name, text.toString(), sha1(text.toString()));
  }

  private static String read(Class<?> owner, String file) {
    try (InputStream in = owner.getResourceAsStream(file)) {
      if (in == null) {
        throw new FileNotFoundException(file);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String sha1(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
