package io.bitloom.engine.modeldir;

import io.bitloom.common.config.UserCache;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.tensor.WeightsException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The model directories that come with the worker.
 *
 * <p>Weights are mapped into memory and so have to be files: a model that lies in a jar is copied
 * once into the user's cache folder, under a name with the digest of its {@code model.json}.
 */
final class BuiltInModels {
  private static final String ROOT = "io/bitloom/engine/models/";
  private static final String DESCRIPTION = ModelDirectory.FILE;
  private static final int DIGITS = 12;

  private final ClassLoader jars;
  private final Path copies;

  /** Models of these jars and class folders; copies go into this folder. */
  BuiltInModels(ClassLoader jars, Path copies) {
    this.jars = jars;
    this.copies = copies;
  }

  /** Those of the worker; copies go into the user's cache folder. */
  static BuiltInModels ofUser() {
    return new BuiltInModels(BuiltInModels.class.getClassLoader(), UserCache.folder("models"));
  }

  /**
   * The folder of a model; empty if none of this name comes with the worker.
   *
   * @throws WeightsException if it cannot be copied
   */
  Optional<Path> find(String name) {
    if (!ModelDirectory.BUILT_IN.contains(name)) {
      return Optional.empty();
    }
    URL description = jars.getResource(ROOT + name + "/" + DESCRIPTION);
    if (description == null) {
      throw new WeightsException(name, "is missing in this build of Bitloom");
    }
    try {
      URI place = description.toURI();
      return Optional.of(
          place.getScheme().equals("file") ? Path.of(place).getParent() : copied(name));
    } catch (IOException | URISyntaxException e) {
      throw new WeightsException(
          "built-in " + name, "cannot be copied to " + copies + ": " + e.getMessage(), e);
    }
  }

  private Path copied(String name) throws IOException {
    byte[] description = read(name + "/" + DESCRIPTION);
    Path folder = copies.resolve(name + "-" + Digests.sha256(description).substring(0, DIGITS));
    if (Files.isRegularFile(folder.resolve(DESCRIPTION))) {
      return folder;
    }
    try (UnfinishedFolder unfinished = new UnfinishedFolder(folder)) {
      for (String file : weightFiles(name, description)) {
        Files.write(unfinished.folder().resolve(file), read(name + "/" + file));
      }
      Files.write(unfinished.folder().resolve(DESCRIPTION), description);
      unfinished.finish();
    } catch (IOException | WeightsException e) {
      // Another process may have been quicker.
      if (!Files.isRegularFile(folder.resolve(DESCRIPTION))) {
        throw e;
      }
    }
    return folder;
  }

  private static List<String> weightFiles(String name, byte[] description) {
    String text = new String(description, StandardCharsets.UTF_8);
    JsonFields json = JsonFields.of(name, StrictJson.object(name, text));
    return json.has("sha256") ? new ArrayList<>(json.object("sha256").names()) : List.of();
  }

  private byte[] read(String file) throws IOException {
    try (InputStream in = jars.getResourceAsStream(ROOT + file)) {
      if (in == null) {
        throw new FileNotFoundException(file);
      }
      return in.readAllBytes();
    }
  }
}
