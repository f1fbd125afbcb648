package io.bitloom.training.config;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.BeanProperty;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.deser.ContextualDeserializer;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import java.io.IOException;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;

/** How a scalar of a file, or the default of its {@link ConfigField}, becomes a value. */
final class ScalarType<T> extends StdDeserializer<T> implements ContextualDeserializer {
  private static final long serialVersionUID = 1;

  private final transient String kind;
  private final transient Reading<T> reading;
  private final transient ConfigField field; // null before it is known where the value stands

  /** Reads a value. */
  interface Reading<T> {
    /**
     * Reads a value.
     *
     * @param tag what YAML takes the text for
     * @param field its bounds; null within lists and mappings
     * @throws IllegalArgumentException saying what is expected
     */
    T read(String text, Tag tag, ConfigField field);
  }

  /**
   * A type.
   *
   * @param kind for people, such as "an integer"
   */
  ScalarType(Class<T> type, String kind, Reading<T> reading) {
    this(type, kind, reading, null);
  }

  private ScalarType(Class<?> type, String kind, Reading<T> reading, ConfigField field) {
    super(type);
    this.kind = kind;
    this.reading = reading;
    this.field = field;
  }

  @Override
  public JsonDeserializer<?> createContextual(
      DeserializationContext context, BeanProperty property) {
    return new ScalarType<>(
        handledType(),
        kind,
        reading,
        property == null ? null : property.getAnnotation(ConfigField.class));
  }

  @Override
  public T deserialize(JsonParser parser, DeserializationContext context) throws IOException {
    if (!parser.hasToken(JsonToken.VALUE_EMBEDDED_OBJECT)) {
      String found = parser.hasToken(JsonToken.START_ARRAY) ? "sequence" : "mapping";
      throw new JsonMappingException(parser, "expected " + kind + ", found a " + found);
    }
    ScalarNode scalar = (ScalarNode) parser.getEmbeddedObject();
    try {
      return reading.read(scalar.getValue(), scalar.getTag(), field);
    } catch (IllegalArgumentException e) {
      throw new JsonMappingException(parser, e.getMessage());
    }
  }

  @Override
  public Object getAbsentValue(DeserializationContext context) throws JsonMappingException {
    if (field == null || field.value().isEmpty()) {
      if (field != null && field.required()) {
        throw JsonMappingException.from(context, "is missing");
      }
      return null;
    }
    try {
      return reading.read(field.value(), Tag.STR, field);
    } catch (IllegalArgumentException e) { // a default that this machine cannot serve
      throw JsonMappingException.from(context, e.getMessage());
    }
  }
}
