package io.bitloom.training.eval;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.training.data.demo.Backdrop;
import io.bitloom.training.data.demo.Colour;
import io.bitloom.training.data.demo.Composition;
import io.bitloom.training.data.demo.DemoExample;
import io.bitloom.training.data.demo.Place;
import io.bitloom.training.data.demo.Relation;
import io.bitloom.training.data.demo.Subject;
import io.bitloom.training.data.demo.Thing;
import io.bitloom.training.data.demo.ThingSize;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A prompt and what its picture should show: a line of the prompt list.
 *
 * @param id names it in reports
 * @param hDivW aspect ratio, height over width
 * @param seed of the drawing
 */
public record EvalPrompt(String id, String text, double hDivW, long seed, Composition composition) {

  /** The prompt of a held-out example. */
  static EvalPrompt of(DemoExample example) {
    return new EvalPrompt(
        String.format(Locale.ROOT, "p%03d", example.index()),
        example.caption(),
        Double.parseDouble(example.schedule().template()),
        example.index(),
        example.composition());
  }

  /** The prompt as the engine takes it, without defaults. */
  ImagePrompt prompt() {
    return ImagePrompt.builder(text)
        .customId(id)
        .hDivW(ScaleSchedules.nearest(hDivW).hDivW())
        .seed(seed)
        .numImages(1)
        .build();
  }

  /** The line of the list, as text. */
  public String line() {
    return toJson().toString();
  }

  /** The line of the list. */
  JsonObject toJson() {
    JsonObject line = new JsonObject();
    line.addProperty("id", id);
    line.addProperty("prompt", text);
    line.addProperty("h_div_w", hDivW);
    line.addProperty("seed", seed);
    JsonArray things = new JsonArray();
    composition.subjects().forEach(subject -> things.add(words(subject)));
    line.add("things", things);
    if (composition instanceof Composition.Single single) {
      line.addProperty("size", word(single.size()));
      line.addProperty("place", word(single.place()));
    } else {
      line.addProperty("relation", word(((Composition.Pair) composition).relation()));
    }
    line.addProperty("backdrop", word(composition.backdrop()));
    return line;
  }

  /**
   * Reads a line of the list.
   *
   * @param source names file and line in messages
   * @throws WeightsException naming the field, if something is missing or unknown
   */
  static EvalPrompt parse(String source, String line) {
    JsonFields json = JsonFields.of(source, StrictJson.object(source, line));
    try {
      return new EvalPrompt(
          json.text("id"),
          json.text("prompt"),
          json.number("h_div_w"),
          json.longInteger("seed"),
          composition(source, StrictJson.object(source, line)));
    } catch (IllegalArgumentException e) {
      throw new WeightsException(source, e.getMessage(), e);
    }
  }

  private static Composition composition(String source, JsonObject json) {
    List<Subject> subjects = new ArrayList<>();
    if (!(json.get("things") instanceof JsonArray things)
        || things.isEmpty()
        || things.size() > 2) {
      throw new WeightsException(source, "things: expected a list of one or two");
    }
    for (JsonElement thing : things) {
      subjects.add(subject(thing.getAsString()));
    }
    Backdrop backdrop = value(Backdrop.class, json, "backdrop");
    return subjects.size() == 1
        ? new Composition.Single(
            subjects.get(0),
            value(ThingSize.class, json, "size"),
            value(Place.class, json, "place"),
            backdrop)
        : new Composition.Pair(
            subjects.get(0), value(Relation.class, json, "relation"), subjects.get(1), backdrop);
  }

  /** "red apple" or "dog". */
  private static Subject subject(String words) {
    String[] parts = words.split(" ");
    Thing thing = value(Thing.class, "things", parts[parts.length - 1]);
    return new Subject(
        thing,
        parts.length == 1
            ? Optional.empty()
            : Optional.of(value(Colour.class, "things", parts[0])));
  }

  static String words(Subject subject) {
    return subject.colour().map(colour -> colour.word() + " ").orElse("") + subject.thing().word();
  }

  private static <E extends Enum<E>> E value(Class<E> type, JsonObject json, String field) {
    JsonElement value = json.get(field);
    if (value == null || !value.isJsonPrimitive()) {
      throw new IllegalArgumentException(field + ": is missing");
    }
    return value(type, field, value.getAsString());
  }

  private static <E extends Enum<E>> E value(Class<E> type, String field, String word) {
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> word(constant).equals(word))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(field + ": \"" + word + "\" is not known"));
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
