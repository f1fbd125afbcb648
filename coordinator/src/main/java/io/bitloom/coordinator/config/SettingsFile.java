package io.bitloom.coordinator.config;

import io.bitloom.common.cli.Usage;
import io.bitloom.common.file.FileFaults;
import io.bitloom.common.file.WholeFile;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * Reads a file of settings in YAML, one {@code name: value} a line. Nothing else may be in it; an
 * error names the file, the line and the key.
 */
final class SettingsFile {

  /**
   * What the file says of a setting.
   *
   * @param place file and line
   */
  record Entry(String text, String place) {}

  private final Path file;
  private final List<String> names;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private SettingsFile(Path file, Collection<Setting<?>> settings) {
    this.file = file;
    this.names = settings.stream().<String>map(Setting::name).toList();
  }

  /**
   * What a file says, by the names of settings.
   *
   * @param settings that there are
   * @throws SettingsFileException if it cannot be read or is not such a file
   */
  static Map<String, Entry> read(Path file, Collection<Setting<?>> settings) {
    SettingsFile reading = new SettingsFile(file, settings);
    Node root = reading.compose();
    if (root instanceof MappingNode mapping) {
      mapping.getValue().forEach(reading::add);
    } else if (root != null && !root.getTag().equals(Tag.NULL)) {
      throw reading.bad(root, "must have lines such as \"grpc-port: 7700\"");
    }
    return reading.entries;
  }

  private Node compose() {
    try (Reader text = Files.newBufferedReader(file)) {
      return new Yaml(new LoaderOptions()).compose(text);
    } catch (IOException e) {
      throw unreadable(e);
    } catch (MarkedYAMLException e) {
      throw new SettingsFileException(place(e.getProblemMark()) + ": " + e.getProblem(), e);
    } catch (YAMLException e) {
      if (e.getCause() instanceof IOException cause) {
        throw unreadable(cause);
      }
      throw new SettingsFileException(file + ": " + e.getMessage(), e);
    }
  }

  private SettingsFileException unreadable(IOException e) {
    String why =
        e instanceof CharacterCodingException
            ? file + " is not a text in UTF-8"
            : FileFaults.message(WholeFile.named(file, e));
    return new SettingsFileException(why, e);
  }

  private void add(NodeTuple pair) {
    if (!(pair.getKeyNode() instanceof ScalarNode key)) {
      throw bad(pair.getKeyNode(), "must have the name of a setting before the colon");
    }
    String name = key.getValue();
    if (!names.contains(name)) {
      String meant = meant(name).map(it -> "; did you mean " + it + "?").orElse("");
      throw bad(key, "there is no setting " + shown(name) + meant);
    }
    Entry before = entries.get(name);
    if (before != null) {
      throw bad(key, name + " is there already, at " + before.place());
    }
    if (!(pair.getValueNode() instanceof ScalarNode value)) {
      throw bad(pair.getValueNode(), name + " must have one value");
    }
    if (value.getTag().equals(Tag.NULL)) {
      throw bad(key, name + " has no value; without its line the default holds");
    }
    entries.put(name, new Entry(value.getValue(), place(key.getStartMark())));
  }

  /** The setting that has this name elsewhere, or a similar one. */
  private Optional<String> meant(String name) {
    String written =
        name.replaceFirst("^(--|BITLOOM_)", "")
            .replaceAll("([a-z])([A-Z])", "$1-$2")
            .replace('_', '-')
            .toLowerCase(Locale.ROOT);
    return names.contains(written) ? Optional.of(written) : Usage.nearest(written, names);
  }

  private static String shown(String name) {
    return name.length() <= 60 ? name : name.substring(0, 60) + "…";
  }

  private String place(Mark mark) {
    return mark == null ? file.toString() : file + ":" + (mark.getLine() + 1);
  }

  private SettingsFileException bad(Node node, String message) {
    return new SettingsFileException(place(node.getStartMark()) + ": " + message, null);
  }
}
