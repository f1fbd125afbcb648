package io.bitloom.engine.modeldir;

import com.google.gson.JsonElement;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
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
   * Compares the digest of every file. A file that had the right one before and has not changed
   * since, as {@link VerifiedFiles} knows, is not read.
   *
   * @throws WeightsException naming the first file that is missing or differs
   */
  void verify(VerifiedFiles verified) {
    for (Map.Entry<String, String> entry : digests.entrySet()) {
      Path file = listed("sha256", entry.getKey());
      if (!verified.holds(file, entry.getValue())) {
        Optional<String> identity = verified.identity(file);
        verify(file, entry.getValue());
        identity.ifPresent(known -> verified.remember(file, entry.getValue(), known));
      }
    }
  }

  private void verify(Path file, String expected) {
    String found = Digests.sha256(file);
    if (!found.equals(expected)) {
      throw new WeightsException(
          file.toString(), "SHA-256 is " + found + ", " + source + " says " + expected);
    }
  }
}
