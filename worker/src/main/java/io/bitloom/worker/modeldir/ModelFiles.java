package io.bitloom.worker.modeldir;

import com.google.gson.JsonElement;
import io.bitloom.worker.checkpoint.JsonFields;
import io.bitloom.worker.checkpoint.StrictJson;
import io.bitloom.worker.tensor.WeightsException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The files of a model directory with the SHA-256 that {@code model.json} gives for each.
 *
 * @param source names {@code model.json} in messages
 * @param folder where the files are
 * @param digests lower-case SHA-256 in hexadecimal by file name, relative to the folder
 */
record ModelFiles(String source, Path folder, Map<String, String> digests) {
  private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
  private static final int BUFFER = 1 << 20;

  /** Reads the member {@code sha256} of {@code model.json}. */
  static ModelFiles parse(String source, Path folder, JsonFields sha256) {
    Map<String, String> digests = new LinkedHashMap<>();
    for (String name : sha256.names()) {
      String digest = sha256.text(name);
      if (!SHA_256.matcher(digest).matches()) {
        throw new WeightsException(
            source, "sha256." + name + ": expected 64 lower-case hexadecimal digits");
      }
      digests.put(name, digest);
    }
    return new ModelFiles(source, folder, digests);
  }

  /**
   * The path of a listed file, and of its shards if it is the index of a sharded set.
   *
   * @param member member of {@code model.json} that names the file, for messages
   * @throws WeightsException if it leaves the folder, is not listed or does not exist
   */
  Path find(String member, String name) {
    Path file = listed(member, name);
    if (name.endsWith(".index.json")) {
      JsonFields shards = JsonFields.of(name, StrictJson.object(file)).object("weight_map");
      for (Map.Entry<String, JsonElement> shard : shards.json().entrySet()) {
        Path beside = file.resolveSibling(shards.text(shard.getKey())).normalize();
        listed(name, folder.relativize(beside).toString());
      }
    }
    return file;
  }

  private Path listed(String member, String name) {
    Path file = folder.resolve(name).normalize();
    if (Path.of(name).isAbsolute() || !file.startsWith(folder)) {
      throw new WeightsException(source, member + ": \"" + name + "\" is outside the directory");
    }
    if (!digests.containsKey(name)) {
      throw new WeightsException(source, member + ": \"" + name + "\" is not listed in sha256");
    }
    if (!Files.isRegularFile(file)) {
      throw new WeightsException(source, member + ": \"" + name + "\" does not exist");
    }
    return file;
  }

  /**
   * Reads every file and compares its digest.
   *
   * @throws WeightsException naming the first file that is missing or differs
   */
  void verify() {
    for (Map.Entry<String, String> entry : digests.entrySet()) {
      Path file = listed("sha256", entry.getKey());
      String found = sha256(file);
      if (!found.equals(entry.getValue())) {
        throw new WeightsException(
            file.toString(), "SHA-256 is " + found + ", " + source + " says " + entry.getValue());
      }
    }
  }

  private static String sha256(Path file) {
    MessageDigest digest = digest();
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      while (in.read(buffer) >= 0) {
        // the stream updates the digest
      }
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  static String sha256(byte[] bytes) {
    return HexFormat.of().formatHex(digest().digest(bytes));
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
