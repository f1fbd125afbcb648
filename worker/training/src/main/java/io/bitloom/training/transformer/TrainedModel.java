package io.bitloom.training.transformer;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.Weights;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * The model directory that a training run ends with, and that the worker loads.
 *
 * @param name of the model
 * @param description for people
 * @param sizes size classes that it was trained for
 * @param defaults fields of a prompt line that hold where a prompt says nothing
 * @param transformer settings under the official names
 * @param tokenizer settings of the tokenizer
 * @param tokenizerWeights of the tokenizer
 * @param textEncoder settings of the text encoder
 * @param jointText the text encoder that learns with the transformer; null where none does
 * @param textFiles of a text encoder that comes from another model directory
 */
public record TrainedModel(
    String name,
    String description,
    List<SizeClass> sizes,
    JsonObject defaults,
    JsonObject transformer,
    JsonObject tokenizer,
    Weights tokenizerWeights,
    JsonObject textEncoder,
    JointText jointText,
    List<ModelDirectory.ListedFile> textFiles) {
  private static final String TRANSFORMER = "transformer.safetensors";
  private static final String TOKENIZER = "tokenizer.safetensors";

  /**
   * Writes {@code model.json} and the weights into a folder.
   *
   * @param withText the transformer's weights, and those of a text encoder that learnt with it
   * @throws IOException if it cannot be written
   */
  void write(Path folder, Weights transformerWeights, Weights withText) throws IOException {
    List<String> files = new ArrayList<>(List.of(TRANSFORMER, TOKENIZER));
    if (jointText != null) {
      files.addAll(jointText.write(folder, withText));
    }
    SafetensorsWriter.write(
        folder.resolve(TRANSFORMER), transformerWeights, Map.of("config", transformer.toString()));
    SafetensorsWriter.write(
        folder.resolve(TOKENIZER), tokenizerWeights, Map.of("config", tokenizer.toString()));
    JsonObject model = new JsonObject();
    model.addProperty("format", 1);
    model.addProperty("name", name);
    model.addProperty("description", description);
    JsonArray labels = new JsonArray();
    sizes.forEach(size -> labels.add(size.label()));
    model.add("sizes", labels);
    model.add("defaults", defaults);
    model.add("transformer", part(transformer, TRANSFORMER));
    model.add("tokenizer", part(tokenizer, TOKENIZER));
    model.add("text_encoder", textEncoder);
    JsonObject digests = new JsonObject();
    for (String file : files) {
      digests.addProperty(file, sha256(folder.resolve(file)));
    }
    for (ModelDirectory.ListedFile file : textFiles) {
      place(file, folder.resolve(file.name()));
      digests.addProperty(file.name(), file.sha256());
    }
    model.add("sha256", digests);
    Files.writeString(
        folder.resolve("model.json"),
        new GsonBuilder().setPrettyPrinting().create().toJson(model) + "\n");
  }

  /** A link, where the file system can, because text encoders are large. */
  private static void place(ModelDirectory.ListedFile file, Path target) throws IOException {
    Files.createDirectories(target.getParent());
    Path source = file.path().toRealPath();
    try {
      Files.createLink(target, source);
    } catch (UnsupportedOperationException | FileSystemException e) {
      Files.copy(source, target);
    }
  }

  private static JsonObject part(JsonObject config, String file) {
    JsonObject part = new JsonObject();
    part.add("config", config);
    part.addProperty("weights", file);
    return part;
  }

  private static String sha256(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(java.io.OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
