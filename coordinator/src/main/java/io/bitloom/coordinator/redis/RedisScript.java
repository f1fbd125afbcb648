package io.bitloom.coordinator.redis;

import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisScriptingAsyncCommands;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A Lua script. A line {@code --@include NAME} in its file stands for the file {@code
 * fragments/NAME.lua} beside it.
 *
 * @param sha1 by which Redis knows the script
 * @param acknowledges whether its reply tells a caller that something is durable
 */
public record RedisScript(String name, String text, String sha1, boolean acknowledges) {

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
    return new RedisScript(name, text.toString(), sha1(text.toString()), false);
  }

  /** The same, with a reply that tells a caller that something is durable, or does not. */
  public RedisScript acknowledging(boolean does) {
    return new RedisScript(name, text, sha1, does);
  }

  /** Runs it, and loads it first if this Redis does not have it. */
  CompletionStage<List<Object>> run(
      RedisScriptingAsyncCommands<String, byte[]> redis, String[] keys, byte[]... args) {
    return redis
        .<List<Object>>evalsha(sha1, ScriptOutputType.MULTI, keys, args)
        .exceptionallyCompose(
            e ->
                RedisErrors.cause(e) instanceof RedisNoScriptException
                    ? redis.eval(text, ScriptOutputType.MULTI, keys, args)
                    : CompletableFuture.failedStage(e));
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
