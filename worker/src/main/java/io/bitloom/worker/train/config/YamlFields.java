package io.bitloom.worker.train.config;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.bitloom.worker.modeldir.ModelDirectory;
import java.io.IOException;
import java.io.Reader;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
import org.yaml.snakeyaml.nodes.Tag;

/**
 * The fields of a YAML mapping by name and kind. What is missing, of another kind or out of range
 * is reported with file, line, field and value; so is, by {@link #done()}, what nobody asked for.
 */
public final class YamlFields {
  private static final int MAX_DEPTH = 16;
  private static final int MAX_CHARACTERS = 1 << 20;

  private final String file;
  private final String path;
  private final int line;
  private final Map<String, Node> fields = new LinkedHashMap<>();
  private final Map<String, Integer> unasked = new LinkedHashMap<>();
  private final List<YamlFields> sections = new ArrayList<>();

  private YamlFields(String file, String path, int line) {
    this.file = file;
    this.path = path;
    this.line = line;
  }

  /**
   * Reads a file that holds one mapping.
   *
   * @throws ConfigFileException if it cannot be read or is no such file
   */
  public static YamlFields read(Path file) {
    LoaderOptions options = new LoaderOptions();
    options.setNestingDepthLimit(MAX_DEPTH);
    options.setMaxAliasesForCollections(0);
    options.setCodePointLimit(MAX_CHARACTERS);
    try (Reader reader = Files.newBufferedReader(file)) {
      Node root = new Yaml(new SafeConstructor(options)).compose(reader);
      if (root == null) {
        throw new ConfigFileException(file.toString(), 1, "is empty");
      }
      return new YamlFields(file.toString(), "", lineOf(root)).with(root, "the file");
    } catch (MarkedYAMLException e) {
      int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
      throw new ConfigFileException(file.toString(), line, "is no YAML: " + e.getProblem());
    } catch (YAMLException | IOException e) {
      throw new ConfigFileException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  private YamlFields with(Node node, String name) {
    if (!(node instanceof MappingNode mapping)) {
      throw new ConfigFileException(file, lineOf(node), name + ": expected a mapping");
    }
    for (NodeTuple field : mapping.getValue()) {
      if (!(field.getKeyNode() instanceof ScalarNode key)) {
        throw new ConfigFileException(file, lineOf(field.getKeyNode()), "a field needs a name");
      }
      if (fields.put(key.getValue(), field.getValueNode()) != null) {
        throw fault(key.getValue(), "occurs twice");
      }
      unasked.put(key.getValue(), lineOf(key));
    }
    return this;
  }

  /** The file's name, for messages. */
  public String file() {
    return file;
  }

  /** The names of all fields, in the order of the file. */
  public List<String> names() {
    return List.copyOf(fields.keySet());
  }

  /** Whether there is a field of this name. */
  public boolean has(String name) {
    return fields.containsKey(name);
  }

  /** The mapping of this name; one without fields, if it is not there. */
  public YamlFields section(String name) {
    unasked.remove(name);
    Node node = fields.get(name);
    YamlFields section =
        new YamlFields(file, path + name + ".", node == null ? line : lineOf(node));
    if (node != null) {
      section.with(node, path + name);
    }
    sections.add(section);
    return section;
  }

  /** A text that must be there. */
  public String text(String name) {
    require(name);
    return text(name, null);
  }

  /** A text; {@code otherwise} if it is not there. */
  public String text(String name, String otherwise) {
    ScalarNode scalar = scalar(name, "a text");
    return scalar == null ? otherwise : scalar.getValue();
  }

  /** A path, relative to the file's folder, that must be there. */
  public Path path(String name) {
    require(name);
    return path(name, null);
  }

  /** A path, relative to the file's folder; {@code otherwise} if it is not there. */
  public Path path(String name, Path otherwise) {
    String text = text(name, null);
    return text == null ? otherwise : Path.of(file).toAbsolutePath().resolveSibling(text);
  }

  /** A path as {@link #path(String)}, or the folder of a built-in model by its name. */
  public Path model(String name) {
    return ModelDirectory.builtIn(text(name)).orElseGet(() -> path(name));
  }

  /** An integer in a range; {@code otherwise} if it is not there. */
  public long integer(String name, long otherwise, long least, long most) {
    ScalarNode scalar = scalar(name, "an integer");
    if (scalar == null) {
      return otherwise;
    }
    String expected = "an integer from " + least + " to " + most;
    try {
      long value = Long.parseLong(scalar.getValue().replace("_", ""));
      if (value < least || value > most) {
        throw fault(name, "expected " + expected + ", found " + shown(scalar));
      }
      return value;
    } catch (NumberFormatException e) {
      throw fault(name, "expected " + expected + ", found " + shown(scalar));
    }
  }

  /** {@link #integer} for counts. */
  public int count(String name, int otherwise, int least) {
    return Math.toIntExact(integer(name, otherwise, least, Integer.MAX_VALUE));
  }

  /** A number in a range; {@code otherwise} if it is not there. */
  public double number(String name, double otherwise, double least, double most) {
    ScalarNode scalar = scalar(name, "a number");
    if (scalar == null) {
      return otherwise;
    }
    try {
      double value = Double.parseDouble(scalar.getValue());
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // reported below
    }
    throw fault(
        name, "expected a number from " + least + " to " + most + ", found " + shown(scalar));
  }

  /** true or false; {@code otherwise} if it is not there. */
  public boolean flag(String name, boolean otherwise) {
    ScalarNode scalar = scalar(name, "true or false");
    if (scalar == null) {
      return otherwise;
    }
    if (!scalar.getValue().equals("true") && !scalar.getValue().equals("false")) {
      throw fault(name, "expected true or false, found " + shown(scalar));
    }
    return scalar.getValue().equals("true");
  }

  /** One of the constants of an enum, in lower case; {@code otherwise} if it is not there. */
  public <E extends Enum<E>> E choice(String name, E otherwise) {
    ScalarNode scalar = scalar(name, "a name");
    if (scalar == null) {
      return otherwise;
    }
    E[] constants = otherwise.getDeclaringClass().getEnumConstants();
    return Arrays.stream(constants)
        .filter(it -> label(it).equals(scalar.getValue()))
        .findFirst()
        .orElseThrow(
            () -> {
              List<String> known = Arrays.stream(constants).map(YamlFields::label).toList();
              return fault(
                  name, "expected " + String.join(", ", known) + ", found " + shown(scalar));
            });
  }

  /** A list of texts; empty if it is not there. */
  public List<String> texts(String name) {
    return items(name).stream().map(ScalarNode::getValue).toList();
  }

  /** A list of integers; {@code otherwise} if it is not there. */
  public List<Integer> counts(String name, List<Integer> otherwise) {
    if (!has(name)) {
      return otherwise;
    }
    try {
      return items(name).stream().map(item -> Integer.valueOf(item.getValue())).toList();
    } catch (NumberFormatException e) {
      throw fault(name, "expected a list of integers");
    }
  }

  /** Those of the named fields that are there, as JSON numbers, booleans and texts. */
  public JsonObject json(List<String> names) {
    JsonObject json = new JsonObject();
    for (String name : names) {
      ScalarNode scalar = scalar(name, "a value");
      if (scalar != null) {
        json.add(name, json(scalar));
      }
    }
    return json;
  }

  private static JsonPrimitive json(ScalarNode scalar) {
    if (scalar.getTag().equals(Tag.BOOL)) {
      return new JsonPrimitive(Boolean.parseBoolean(scalar.getValue()));
    }
    if (scalar.getTag().equals(Tag.INT) || scalar.getTag().equals(Tag.FLOAT)) {
      return new JsonPrimitive(new BigDecimal(scalar.getValue()));
    }
    return new JsonPrimitive(scalar.getValue());
  }

  /**
   * Checks that every field was asked for.
   *
   * @throws ConfigFileException naming the first that was not
   */
  public void done() {
    unasked.forEach(
        (name, at) -> {
          throw new ConfigFileException(file, at, path + name + ": is not known");
        });
    sections.forEach(YamlFields::done);
  }

  /** A fault of a field, to be thrown. */
  public ConfigFileException fault(String name, String message) {
    Node node = fields.get(name);
    return new ConfigFileException(
        file, node == null ? line : lineOf(node), path + name + ": " + message);
  }

  private void require(String name) {
    if (!has(name)) {
      throw fault(name, "is missing");
    }
  }

  private ScalarNode scalar(String name, String expected) {
    unasked.remove(name);
    Node node = fields.get(name);
    if (node == null || node instanceof ScalarNode) {
      return (ScalarNode) node;
    }
    throw fault(name, "expected " + expected + ", found a " + node.getNodeId());
  }

  private List<ScalarNode> items(String name) {
    unasked.remove(name);
    Node node = fields.get(name);
    if (node == null) {
      return List.of();
    }
    if (!(node instanceof SequenceNode sequence)
        || !sequence.getValue().stream().allMatch(ScalarNode.class::isInstance)) {
      throw fault(name, "expected a list");
    }
    return sequence.getValue().stream().map(ScalarNode.class::cast).toList();
  }

  private static String shown(ScalarNode scalar) {
    String value = scalar.getValue();
    return "\"" + (value.length() > 40 ? value.substring(0, 40) + "..." : value) + "\"";
  }

  private static String label(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static int lineOf(Node node) {
    return node.getStartMark().getLine() + 1;
  }
}
