package io.bitloom.training.config;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.io.IOException;
import java.io.Reader;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * A YAML file whose mapping is bound to records by Jackson: a component {@code warmupSteps} is the
 * field {@code warmup_steps}, and a record within a record is a section. SnakeYAML reads the file,
 * so that every fault is reported with the line of its field. The types are those of the records
 * alone; what the file says of types is not looked at.
 */
public final class ConfigFile {
  private static final int MAX_DEPTH = 16;
  private static final int MAX_CHARACTERS = 1 << 20;

  private final Path file;
  private final JsonMapper mapper;
  private final ObjectNode fields;
  private final Map<String, Integer> lines = new HashMap<>(); // of values, by the field's path
  private final Map<String, Integer> linesOfNames = new HashMap<>();

  private ConfigFile(Path file, Node root) {
    this.file = file;
    mapper = mapper(file);
    if (!(tree(root, "") instanceof ObjectNode mapping)) {
      throw fault("", "expected a mapping");
    }
    fields = mapping;
  }

  /**
   * Reads a file that holds one mapping.
   *
   * @param types the records that its fields are bound to; no field may be of none of them
   * @throws ConfigFileException if it cannot be read or is no such file
   */
  public static ConfigFile read(Path file, List<Class<? extends Record>> types) {
    ConfigFile found = read(file);
    Set<String> known = new HashSet<>();
    types.forEach(type -> known.addAll(names(type)));
    found
        .fields
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!known.contains(name)) {
                throw found.unknown(name);
              }
            });
    return found;
  }

  private static ConfigFile read(Path file) {
    LoaderOptions options = new LoaderOptions();
    options.setNestingDepthLimit(MAX_DEPTH);
    options.setMaxAliasesForCollections(0);
    options.setCodePointLimit(MAX_CHARACTERS);
    try (Reader reader = Files.newBufferedReader(file)) {
      Node root = new Yaml(new SafeConstructor(options)).compose(reader);
      if (root == null) {
        throw new ConfigFileException(file.toString(), 1, "is empty");
      }
      return new ConfigFile(file, root);
    } catch (MarkedYAMLException e) {
      int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
      throw new ConfigFileException(file.toString(), line, "is no YAML: " + e.getProblem());
    } catch (YAMLException | IOException e) {
      throw new ConfigFileException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  private static JsonMapper mapper(Path file) {
    SimpleModule scalars = new SimpleModule();
    scalars.setDeserializers(new ScalarTypes(file));
    // Jackson puts a field that it does not know aside as if to write it, before it refuses it.
    scalars.addSerializer(ScalarNode.class, ToStringSerializer.instance);
    return JsonMapper.builder()
        .addModule(scalars)
        .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
        .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .visibility(PropertyAccessor.GETTER, Visibility.NONE)
        .visibility(PropertyAccessor.IS_GETTER, Visibility.NONE)
        .build();
  }

  /** The names of a record's fields in a file. */
  static List<String> names(Class<? extends Record> type) {
    return Arrays.stream(type.getRecordComponents()).map(ConfigFile::name).toList();
  }

  /** The name of a record's component in a file. */
  static String name(RecordComponent component) {
    return PropertyNamingStrategies.SnakeCaseStrategy.INSTANCE.translate(component.getName());
  }

  private JsonNode tree(Node node, String path) {
    lines.put(path, lineOf(node));
    if (node instanceof MappingNode mapping) {
      ObjectNode object = JsonNodeFactory.instance.objectNode();
      mapping.getValue().forEach(field -> add(object, field, path));
      return object;
    }
    if (node instanceof SequenceNode sequence) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      sequence.getValue().forEach(item -> array.add(tree(item, path + "[" + array.size() + "]")));
      return array;
    }
    return JsonNodeFactory.instance.pojoNode(node);
  }

  private void add(ObjectNode object, NodeTuple field, String path) {
    if (!(field.getKeyNode() instanceof ScalarNode key)) {
      int line = lineOf(field.getKeyNode());
      throw new ConfigFileException(file.toString(), line, "a field needs a name");
    }
    String own = under(path, key.getValue());
    JsonNode value = tree(field.getValueNode(), own);
    if (object.replace(key.getValue(), value) != null) {
      throw fault(own, "occurs twice");
    }
    linesOfNames.put(own, lineOf(key));
  }

  /**
   * The fields of a record.
   *
   * @throws ConfigFileException if a field is missing, unknown, of another kind, out of range, or
   *     if the record's constructor refuses it
   */
  public <T extends Record> T bind(Class<T> type) {
    ObjectNode own = JsonNodeFactory.instance.objectNode();
    names(type).stream().filter(fields::has).forEach(name -> own.set(name, fields.get(name)));
    try {
      return mapper.treeToValue(own, type);
    } catch (JsonMappingException e) {
      throw fault(e);
    } catch (JsonProcessingException e) {
      throw new ConfigFileException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  /** The record of a section that is not there. */
  public static <T extends Record> T defaults(Class<T> type) {
    try {
      return mapper(Path.of("")).treeToValue(JsonNodeFactory.instance.objectNode(), type);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(type + " has fields without a default", e);
    }
  }

  private ConfigFileException fault(JsonMappingException e) {
    String path =
        e.getPath().stream()
            .map(
                step ->
                    step.getIndex() < 0 ? "." + step.getFieldName() : "[" + step.getIndex() + "]")
            .collect(Collectors.joining());
    String field = path.startsWith(".") ? path.substring(1) : path;
    if (e instanceof UnrecognizedPropertyException) {
      return unknown(field);
    }
    if (e.getCause() instanceof FieldFault fault) {
      return fault(under(field, fault.field()), fault.getMessage());
    }
    if (e.getCause() instanceof IllegalArgumentException refused) {
      return fault(field, refused.getMessage());
    }
    if (e instanceof MismatchedInputException other) {
      boolean list = Collection.class.isAssignableFrom(other.getTargetType());
      return fault(field, "expected a " + (list ? "list" : "mapping"));
    }
    return fault(field, e.getOriginalMessage());
  }

  private ConfigFileException unknown(String field) {
    return new ConfigFileException(
        file.toString(), linesOfNames.get(field), field + ": is not known");
  }

  /**
   * A fault of a field, to be thrown.
   *
   * @param field its path, such as {@code data.size}; the line is that of its section if it is not
   *     there
   */
  public ConfigFileException fault(String field, String message) {
    String place = field;
    while (!lines.containsKey(place)) {
      place = place.substring(0, Math.max(0, place.lastIndexOf('.')));
    }
    String name = field.isEmpty() ? "the file" : field;
    return new ConfigFileException(file.toString(), lines.get(place), name + ": " + message);
  }

  /** A path as a field has it, relative to the file's folder. */
  public Path path(String text) {
    return file.toAbsolutePath().resolveSibling(text);
  }

  private static String under(String path, String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  private static int lineOf(Node node) {
    return node.getStartMark().getLine() + 1;
  }
}
