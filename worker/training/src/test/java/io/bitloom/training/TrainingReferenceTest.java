package io.bitloom.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import io.bitloom.training.config.ConfigField;
import io.bitloom.training.run.RunConfig;
import io.bitloom.training.tokenizer.TokenizerRunConfig;
import io.bitloom.training.transformer.TransformerRunConfig;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The tables of fields in {@code docs/reference/training.md} are those of the records. */
class TrainingReferenceTest {
  private static final String OWN = TrainingReferenceTest.class.getPackageName();
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final String HEAD = "| field | default | |";

  /** Words of the tables for defaults that nobody would write. */
  private static final Map<String, String> WORDS =
      Map.of("all", "" + Integer.MAX_VALUE, "never", "" + Long.MAX_VALUE, "none", "");

  @Test
  void everyFieldOfATransformersTrainingIsInTheFirstTable() throws IOException {
    Map<String, String> fields = fields(TransformerRunConfig.class);
    assertEquals(fields.keySet(), tables().get(0).keySet());
    assertDefaults(fields, tables().get(0));
  }

  @Test
  void everyFieldOfATokenizersTrainingIsInOneOfTheTables() throws IOException {
    Map<String, String> common = tables().get(0);
    Map<String, String> own = tables().get(1);
    Map<String, String> fields = fields(TokenizerRunConfig.class);
    for (String name : own.keySet()) {
      assertTrue(fields.containsKey(name), () -> name + " is in the table, but not in the record");
    }
    for (String name : fields.keySet()) {
      assertTrue(own.containsKey(name) || common.containsKey(name), () -> name + " is in no table");
    }
    assertDefaults(fields, own);
  }

  private static void assertDefaults(Map<String, String> fields, Map<String, String> table) {
    table.forEach(
        (name, shown) -> {
          String set = fields.get(name);
          if (!set.isEmpty() && !shown.isEmpty()) {
            assertEquals(comparable(set), comparable(shown), name);
          }
        });
  }

  private static String comparable(String text) {
    try {
      return Double.toString(Double.parseDouble(text));
    } catch (NumberFormatException e) {
      return text;
    }
  }

  /** The fields of a file by their path, and their defaults where an annotation has them. */
  private static Map<String, String> fields(Class<? extends Record> own) {
    Map<String, String> fields = new TreeMap<>();
    collect(RunConfig.class, "", fields);
    collect(own, "", fields);
    return fields;
  }

  private static void collect(Class<?> type, String section, Map<String, String> fields) {
    for (RecordComponent component : type.getRecordComponents()) {
      String name = section + SnakeCaseStrategy.INSTANCE.translate(component.getName());
      ConfigField field = component.getAnnotation(ConfigField.class);
      if (component.getType().isRecord() && component.getType().getPackageName().startsWith(OWN)) {
        collect(component.getType(), name + ".", fields);
      } else if (component.getType() == Map.class && isOfRecords(component)) {
        fields.put(name + ".COLUMN", "");
      } else {
        fields.put(name, field == null ? "" : field.value());
      }
    }
  }

  private static boolean isOfRecords(RecordComponent map) {
    ParameterizedType type = (ParameterizedType) map.getGenericType();
    return type.getActualTypeArguments()[1] instanceof Class<?> value && value.isRecord();
  }

  /** The fields of each table, with defaults where there is one for each of a line's fields. */
  private static List<Map<String, String>> tables() throws IOException {
    Path place = Path.of("").toAbsolutePath();
    while (!Files.exists(place.resolve("docs/reference/training.md"))) {
      place = place.getParent();
    }
    String page = Files.readString(place.resolve("docs/reference/training.md"));
    return Arrays.stream(page.split(Pattern.quote(HEAD), -1))
        .skip(1)
        .map(TrainingReferenceTest::table)
        .toList();
  }

  private static Map<String, String> table(String text) {
    Map<String, String> found = new TreeMap<>();
    text.lines()
        .skip(2)
        .takeWhile(line -> line.startsWith("|"))
        .map(line -> line.split("\\|", -1))
        .forEach(cells -> add(cells[1], cells[2].strip().replace("`", ""), found));
    return found;
  }

  private static void add(String names, String defaults, Map<String, String> found) {
    List<String> written = CODE.matcher(names).results().map(MatchResult::group).toList();
    List<String> values = Arrays.stream(defaults.split(", ", -1)).toList();
    String section = "";
    for (int i = 0; i < written.size(); i++) {
      String name = written.get(i).replace("`", "");
      name = name.startsWith(".") ? section + name : name;
      section = name.substring(0, Math.max(0, name.lastIndexOf('.')));
      String value = values.size() == written.size() ? values.get(i) : "";
      found.put(name, WORDS.getOrDefault(value, value));
    }
  }
}
