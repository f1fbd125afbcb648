package io.bitloom.common.model;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.rules.PromptJson;
import io.bitloom.common.rules.PromptLineException;
import io.bitloom.common.schedule.SizeClass;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What a registry has to know of a {@code model.json}. Whether the model fits its weights is for
 * the worker that loads it to see.
 *
 * @param digest {@code sha256:} and the digest of the file
 * @param name of the model
 * @param description for people
 * @param sizes size classes that it draws, at least one
 * @param defaults what holds where a prompt says nothing
 * @param blocks of its transformer; 0 if the file leaves that to a preset
 * @param files digests in hexadecimal by name, relative to the folder
 */
public record ModelManifest(
    String digest,
    String name,
    String description,
    List<String> sizes,
    ImagePrompt defaults,
    int blocks,
    Map<String, String> files) {

  /** Name of the file. */
  public static final String FILE = "model.json";

  /** Longest file that is read. */
  public static final int MAX_BYTES = 256 << 10;

  /** Most files of a model. */
  public static final int MAX_FILES = 1024;

  private static final int MAX_DESCRIPTION = 1000;
  private static final int MAX_NESTING = 32;
  private static final int MAX_NAME = 255;
  private static final String SHA_256 = "sha256";
  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

  /** Of folders and files; none of them is hidden or leads up. */
  private static final Pattern FILE_NAME =
      Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*");

  /** Copies what could change. */
  public ModelManifest {
    sizes = List.copyOf(sizes);
    files = Map.copyOf(files);
  }

  /**
   * Reads the file.
   *
   * @throws BitloomException {@code INVALID_FIELD} naming the member that is wrong
   */
  public static ModelManifest parse(byte[] content) {
    if (content.length > MAX_BYTES) {
      throw wrong("", content.length + " bytes", "must have at most " + MAX_BYTES + " bytes");
    }
    JsonObject json = object(content);
    String name = text(json, "name");
    if (!VersionName.MODEL.matcher(name).matches()) {
      throw wrong(
          ".name", name, "must be at most 64 letters, digits, dots, dashes and underscores");
    }
    String description = json.has("description") ? text(json, "description") : "";
    if (description.length() > MAX_DESCRIPTION) {
      throw wrong(".description", description, "must have at most " + MAX_DESCRIPTION + " letters");
    }
    return new ModelManifest(
        digest(content), name, description, sizes(json), defaults(json), blocks(json), files(json));
  }

  /** {@code sha256:} and the digest of a {@code model.json}. */
  private static String digest(byte[] content) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
      return SHA_256 + ":" + HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** By which the version is known. */
  public String versionName() {
    return VersionName.of(name, digest);
  }

  private static JsonObject object(byte[] content) {
    JsonReader reader =
        new JsonReader(new StringReader(new String(content, StandardCharsets.UTF_8)));
    reader.setStrictness(Strictness.STRICT);
    reader.setNestingLimit(MAX_NESTING);
    try {
      JsonElement json = JsonParser.parseReader(reader);
      if (json.isJsonObject()) {
        return json.getAsJsonObject();
      }
    } catch (JsonParseException e) {
      throw wrong("", String.valueOf(e.getMessage()), "must be JSON");
    }
    throw wrong("", "", "must be a JSON object");
  }

  private static String text(JsonObject json, String member) {
    JsonElement value = json.get(member);
    if (value == null || !value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
      throw wrong("." + member, String.valueOf(value), "must be a text");
    }
    return value.getAsString();
  }

  private static JsonObject member(JsonObject json, String member) {
    JsonElement value = json.get(member);
    if (value == null) {
      return new JsonObject();
    }
    if (!value.isJsonObject()) {
      throw wrong("." + member, value.toString(), "must be an object");
    }
    return value.getAsJsonObject();
  }

  private static List<String> sizes(JsonObject json) {
    List<String> sizes = new ArrayList<>();
    JsonElement labels = json.get("sizes");
    if (labels == null || !labels.isJsonArray() || labels.getAsJsonArray().isEmpty()) {
      throw wrong(".sizes", String.valueOf(labels), "must be a list of " + SizeClass.labels());
    }
    for (JsonElement label : labels.getAsJsonArray()) {
      if (!label.isJsonPrimitive() || SizeClass.find(label.getAsString()).isEmpty()) {
        throw wrong(".sizes", label.toString(), "must be some of " + SizeClass.labels());
      }
      sizes.add(label.getAsString());
    }
    return sizes;
  }

  private static ImagePrompt defaults(JsonObject json) {
    String defaults = member(json, "defaults").toString();
    try {
      ImagePrompt parsed = PromptJson.parseDefaults(defaults);
      ImagePromptRules.defaults().checkDefaults(parsed).stream()
          .findFirst()
          .ifPresent(
              first -> {
                throw BitloomException.invalid(List.of(first.in("manifest.defaults")));
              });
      return parsed;
    } catch (PromptLineException e) {
      throw wrong(".defaults", defaults, "must be fields of a prompt: " + e.getMessage());
    }
  }

  private static int blocks(JsonObject json) {
    JsonElement depth = member(member(json, "transformer"), "config").get("depth");
    boolean number =
        depth != null && depth.isJsonPrimitive() && depth.toString().matches("\\d{1,4}");
    return number ? depth.getAsInt() : 0;
  }

  private static Map<String, String> files(JsonObject json) {
    JsonObject digests = member(json, SHA_256);
    if (digests.size() > MAX_FILES) {
      throw wrong(".sha256", digests.size() + " files", "must name at most " + MAX_FILES);
    }
    Map<String, String> files = new LinkedHashMap<>();
    for (String name : digests.keySet()) {
      if (name.length() > MAX_NAME || !FILE_NAME.matcher(name).matches() || name.equals(FILE)) {
        throw wrong(
            ".sha256",
            name,
            "must name files below the directory, by letters, digits, dots, dashes, underscores"
                + " and / between folders");
      }
      String digest = text(digests, name);
      requireDigest("manifest.sha256." + name, digest);
      files.put(name, digest);
    }
    return files;
  }

  /**
   * @throws BitloomException {@code INVALID_FIELD} if this is no digest in hexadecimal
   */
  public static void requireDigest(String field, String digest) {
    if (!DIGEST.matcher(digest).matches()) {
      throw BitloomException.invalid(
          field, digest, "must be a SHA-256, 64 lower-case hexadecimal digits");
    }
  }

  private static BitloomException wrong(String member, String value, String message) {
    return BitloomException.invalid("manifest" + member, value, message);
  }
}
