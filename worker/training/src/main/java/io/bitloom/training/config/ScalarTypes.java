package io.bitloom.training.config;

import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.DeserializationConfig;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.module.SimpleDeserializers;
import com.google.gson.JsonPrimitive;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.net.ServerAddress;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorchException;
import io.bitloom.engine.tensor.TorchDevice;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.yaml.snakeyaml.nodes.Tag;

/** The types of scalars in configuration files, and what is said where a text is none of them. */
final class ScalarTypes extends SimpleDeserializers {
  private static final long serialVersionUID = 1;
  private static final int MOST_SHOWN = 40;

  /** Of an address without one, and of a Unix socket. */
  private static final int NO_PORT = 0;

  /**
   * The types of a file.
   *
   * @param file which relative paths start beside
   */
  ScalarTypes(Path file) {
    add(String.class, "a text", (text, tag, field) -> text);
    add(Path.class, "a text", (text, tag, field) -> file.toAbsolutePath().resolveSibling(text));
    add(long.class, "an integer", (text, tag, field) -> integer(text, field, Long.MAX_VALUE));
    add(int.class, "an integer", ScalarTypes::count);
    add(Integer.class, "an integer", ScalarTypes::count);
    add(double.class, "a number", ScalarTypes::number);
    add(Double.class, "a number", ScalarTypes::number);
    add(boolean.class, "true or false", ScalarTypes::flag);
    add(Boolean.class, "true or false", ScalarTypes::flag);
    add(JsonPrimitive.class, "a value", ScalarTypes::json);
    add(TorchDevice.class, "a text", (text, tag, field) -> device(text));
    add(DType.class, "a name", ScalarTypes::precision);
    add(SizeClass.class, "a text", ScalarTypes::size);
    add(ServerAddress.class, "a text", ScalarTypes::address);
  }

  private <T> void add(Class<T> type, String kind, ScalarType.Reading<T> reading) {
    addDeserializer(type, new ScalarType<>(type, kind, reading));
  }

  /** Other enums are written in lower case. */
  @Override
  public JsonDeserializer<?> findEnumDeserializer(
      Class<?> type, DeserializationConfig config, BeanDescription description)
      throws JsonMappingException {
    JsonDeserializer<?> own = super.findEnumDeserializer(type, config, description);
    return own != null ? own : choice(type);
  }

  private static <E> ScalarType<E> choice(Class<E> type) {
    List<String> labels = Arrays.stream(type.getEnumConstants()).map(ScalarTypes::label).toList();
    return new ScalarType<>(
        type,
        "a name",
        (text, tag, field) -> {
          require(labels.contains(text), String.join(", ", labels), text);
          return type.getEnumConstants()[labels.indexOf(text)];
        });
  }

  private static String label(Object constant) {
    return ((Enum<?>) constant).name().toLowerCase(Locale.ROOT);
  }

  private static TorchDevice device(String text) {
    try {
      return TorchDevice.parse(text);
    } catch (LibTorchException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static int count(String text, Tag tag, ConfigField field) {
    return (int) integer(text, field, Integer.MAX_VALUE);
  }

  /** Items of lists have no bounds of their own. */
  private static long integer(String text, ConfigField field, long largest) {
    boolean bounded = field != null;
    long least = bounded ? (long) field.least() : Integer.MIN_VALUE;
    long most = bounded ? Math.min(largest, (long) field.most()) : largest;
    String expected = "an integer from " + least + " to " + most;
    try {
      long value = Long.parseLong(text.replace("_", ""));
      require(value >= least && value <= most, expected, text);
      return value;
    } catch (NumberFormatException e) {
      throw unexpected(expected, text);
    }
  }

  private static double number(String text, Tag tag, ConfigField field) {
    String expected = "a number from " + field.least() + " to " + field.most();
    try {
      double value = Double.parseDouble(text);
      require(value >= field.least() && value <= field.most(), expected, text);
      return value;
    } catch (NumberFormatException e) {
      throw unexpected(expected, text);
    }
  }

  private static boolean flag(String text, Tag tag, ConfigField field) {
    require(text.equals("true") || text.equals("false"), "true or false", text);
    return text.equals("true");
  }

  private static JsonPrimitive json(String text, Tag tag, ConfigField field) {
    if (tag.equals(Tag.BOOL)) {
      String word = text.toLowerCase(Locale.ROOT);
      require(word.equals("true") || word.equals("false"), "true or false", text);
      return new JsonPrimitive(word.equals("true"));
    }
    if (tag.equals(Tag.INT) || tag.equals(Tag.FLOAT)) {
      try {
        return new JsonPrimitive(new BigDecimal(text));
      } catch (NumberFormatException e) {
        throw unexpected("a decimal number", text);
      }
    }
    return new JsonPrimitive(text);
  }

  private static DType precision(String text, Tag tag, ConfigField field) {
    require(text.equals("fp32") || text.equals("bf16"), "fp32, bf16", text);
    return text.equals("fp32") ? DType.F32 : DType.BF16;
  }

  private static SizeClass size(String text, Tag tag, ConfigField field) {
    return SizeClass.find(text)
        .filter(found -> !found.squareOnly())
        .orElseThrow(() -> unexpected("one of " + SizeClass.labels(SizeClass.ofAllShapes()), text));
  }

  private static ServerAddress address(String text, Tag tag, ConfigField field) {
    if (text.isEmpty()) {
      return null;
    }
    try {
      ServerAddress address = ServerAddress.parse("address", text, NO_PORT);
      boolean plain = address.security() == ServerAddress.Security.UNSAID;
      require(plain && address.port() != NO_PORT, "HOST:PORT", text);
      return address;
    } catch (ConfigException e) {
      throw unexpected("HOST:PORT", text);
    }
  }

  private static void require(boolean holds, String expected, String text) {
    if (!holds) {
      throw unexpected(expected, text);
    }
  }

  private static IllegalArgumentException unexpected(String expected, String text) {
    String shown = text.length() > MOST_SHOWN ? text.substring(0, MOST_SHOWN) + "..." : text;
    return new IllegalArgumentException("expected " + expected + ", found \"" + shown + "\"");
  }
}
