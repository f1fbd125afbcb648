package io.bitloom.training.data;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.image.decode.PictureFile;
import io.bitloom.engine.image.decode.PictureOptions;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * One line of a caption file: {@code {"image_path": …, "text": …, "long_caption": …, "h_div_w": …}}
 * and any further columns, whose numbers curation may look at.
 *
 * @param options what is done about the picture's orientation and profile
 * @param source file and line of the caption
 * @param image where the picture lies
 * @param hDivW height over width, if the line says so
 * @param text the short caption; empty if there is none
 * @param longCaption the long caption; empty if there is none
 * @param columns the numbers of the other columns
 */
public record CaptionLine(
    PictureOptions options,
    String source,
    Path image,
    OptionalDouble hDivW,
    String text,
    String longCaption,
    Map<String, Double> columns)
    implements CaptionedPicture {
  /** Official captions hide remarks for the picture's generator behind this. */
  private static final String REMARK = "--";

  /**
   * Reads a line.
   *
   * @param source names file and line in messages
   * @param root folder that relative image paths start from
   * @throws WeightsException if it is not one JSON object with the fields above
   */
  static CaptionLine parse(String source, String line, Path root, PictureOptions options) {
    JsonObject json = StrictJson.object(source, line);
    Map<String, Double> columns = new LinkedHashMap<>();
    json.entrySet()
        .forEach(
            column -> {
              JsonElement value = column.getValue();
              if (isFiniteNumber(value) || column.getKey().equals("h_div_w") && isNumber(value)) {
                columns.put(column.getKey(), value.getAsDouble());
              }
            });
    String text = text(source, json, "text", json.has("caption") ? "caption" : "text");
    String longCaption = text(source, json, "long_caption", "long_caption");
    if (text.isBlank() && longCaption.isBlank()) {
      throw new WeightsException(source, "text: is missing, as is long_caption");
    }
    String image = text(source, json, "image_path", json.has("image") ? "image" : "image_path");
    if (image.isBlank()) {
      throw new WeightsException(source, "image_path: is missing");
    }
    Double hDivW = columns.get("h_div_w");
    if (hDivW != null && !(hDivW > 0 && Double.isFinite(hDivW))) {
      throw new WeightsException(source, "h_div_w: expected a positive number, found " + hDivW);
    }
    return new CaptionLine(
        options,
        source,
        path(source, image, root),
        hDivW == null ? OptionalDouble.empty() : OptionalDouble.of(hDivW),
        text,
        longCaption,
        columns);
  }

  private static boolean isNumber(JsonElement value) {
    return value.isJsonPrimitive() && value.getAsJsonPrimitive().isNumber();
  }

  /** A score beyond what a double holds, such as 1e999, is no score. */
  private static boolean isFiniteNumber(JsonElement value) {
    return isNumber(value) && Double.isFinite(value.getAsDouble());
  }

  private static Path path(String source, String image, Path root) {
    try {
      return root.resolve(image);
    } catch (InvalidPathException e) {
      throw new WeightsException(source, "image_path: is no path: " + e.getReason(), e);
    }
  }

  private static String text(String source, JsonObject json, String name, String alias) {
    JsonElement value = json.get(json.has(name) ? name : alias);
    if (value == null || value.isJsonNull()) {
      return "";
    }
    if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
      throw new WeightsException(source, name + ": expected a text, found " + value);
    }
    return value.getAsString();
  }

  @Override
  public String name() {
    return source + ": " + image;
  }

  @Override
  public List<String> captions() {
    return List.of(text, longCaption);
  }

  /** How pictures are decoded, path, time of the last change and size. */
  @Override
  public String version() throws IOException {
    return String.join(
        "\n",
        "decoder " + PictureFile.VERSION + options.id(),
        image.toString(),
        Files.getLastModifiedTime(image).toString(),
        Long.toString(Files.size(image)));
  }

  @Override
  public RgbImage picture(int width, int height, Consumer<String> remarks) throws IOException {
    return PictureFile.fitted(image, width, height, options, remarks);
  }

  /** One of the captions: the short one with a probability, without remarks. */
  @Override
  public String caption(double shortProbability, RandomGenerator random) {
    boolean takeShort = random.nextDouble() < shortProbability;
    String chosen = longCaption.isBlank() || (takeShort && !text.isBlank()) ? text : longCaption;
    int remark = chosen.indexOf(REMARK);
    return remark > 0 ? chosen.substring(0, remark) : chosen;
  }
}
