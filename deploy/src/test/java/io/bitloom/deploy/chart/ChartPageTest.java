package io.bitloom.deploy.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.deploy.Programs;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.DumperOptions.FlowStyle;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.comments.CommentLine;
import org.yaml.snakeyaml.comments.CommentType;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/** The chart's page has every value with its default and what its comment says. */
class ChartPageTest {

  private static final Path PAGE = Chart.FOLDER.resolve("README.md");
  private static final Pattern EXAMPLE = Pattern.compile("(?s)```yaml\n(.*?)```");
  private static final String TABLE = "| Value | Default | Meaning |\n|---|---|---|\n";

  private final String text;

  ChartPageTest() throws IOException {
    text = Files.readString(Chart.FOLDER.resolve("values.yaml"));
  }

  @Test
  void theTableIsWhatTheFileOfValuesSays() throws IOException {
    String page = Files.readString(PAGE);
    int start = page.indexOf(TABLE);
    assertTrue(start > 0, PAGE + " has no table");
    String written = page.substring(0, start) + TABLE + rows();
    if (Boolean.getBoolean("bitloom.write.docs")) {
      Files.writeString(PAGE, written);
    }
    assertEquals(written, Files.readString(PAGE), "see the head of " + PAGE);
  }

  @Test
  void everyExampleOfValuesIsOneThatTheProgramsTake() throws IOException {
    List<String> examples =
        EXAMPLE.matcher(Files.readString(PAGE)).results().map(found -> found.group(1)).toList();
    assertTrue(examples.size() > 2, examples::toString);
    for (String example : examples) {
      assertEquals(
          List.of(),
          ChartProgramsTest.containers(Chart.rendered(example)).stream()
              .flatMap(container -> Programs.faults(container).stream())
              .toList(),
          example);
    }
  }

  private String rows() {
    LoaderOptions options = new LoaderOptions();
    options.setProcessComments(true);
    Node root = new Yaml(options).compose(new StringReader(text));
    List<String> rows = new ArrayList<>();
    add(rows, "", (MappingNode) root);
    return rows.stream().map(row -> row + "\n").collect(Collectors.joining());
  }

  private void add(List<String> rows, String prefix, MappingNode mapping) {
    for (NodeTuple pair : mapping.getValue()) {
      String path = prefix + ((ScalarNode) pair.getKeyNode()).getValue();
      String meaning = comment(pair.getKeyNode());
      if (pair.getValueNode() instanceof MappingNode below
          && below.getFlowStyle() == FlowStyle.BLOCK) {
        if (!meaning.isEmpty()) {
          rows.add("| `" + path + "` | | " + meaning + " |");
        }
        add(rows, path + ".", below);
      } else {
        String standard = standard(pair.getValueNode());
        rows.add(
            "| `"
                + path
                + "` | "
                + standard
                + (meaning.isEmpty() ? " | |" : " | " + meaning + " |"));
      }
    }
  }

  /** A default as it is written, on one line. */
  private String standard(Node value) {
    return "`" + written(value).replace("|", "\\|") + "`";
  }

  private String written(Node value) {
    if (value instanceof SequenceNode list && list.getFlowStyle() == FlowStyle.BLOCK) {
      return list.getValue().stream()
          .map(this::written)
          .collect(Collectors.joining(", ", "[", "]"));
    }
    String text =
        this.text.substring(value.getStartMark().getIndex(), value.getEndMark().getIndex());
    return text.replaceAll("(?m)#.*$", "").replaceAll("\\s+", " ").strip();
  }

  /** What stands right above a key. */
  private static String comment(Node key) {
    List<String> lines = new ArrayList<>();
    for (CommentLine line :
        Objects.requireNonNullElse(key.getBlockComments(), List.<CommentLine>of())) {
      if (line.getCommentType() == CommentType.BLANK_LINE) {
        lines.clear();
      } else {
        lines.add(line.getValue().strip());
      }
    }
    return String.join(" ", lines).replace("|", "\\|");
  }
}
