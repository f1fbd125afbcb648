package io.bitloom.training.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigFileTest {
  @TempDir private Path folder;

  /** A file's fields. */
  record Fields(
      @ConfigField(value = "1", least = 1) int steps,
      @ConfigField("nobody") String name,
      @ConfigField("true") boolean flag,
      @ConfigField Path path,
      List<String> list,
      Map<String, Rate> rates,
      Rate optimizer) {
    Fields {
      optimizer = optimizer == null ? ConfigFile.defaults(Rate.class) : optimizer;
      if (steps == 13) {
        throw new FieldFault("steps", "is unlucky");
      }
    }
  }

  /** A section. */
  record Rate(@ConfigField(value = "0.5", most = 1) double learningRate) {
    Rate {
      if (learningRate == 0.25) {
        throw new IllegalArgumentException("is a quarter");
      }
    }
  }

  /** What must be there. */
  record Needed(@ConfigField(required = true) Path folder) {}

  private Fields fields(String text) throws IOException {
    return read(text, Fields.class);
  }

  private <T extends Record> T read(String text, Class<T> type) throws IOException {
    Path file = Files.writeString(folder.resolve("train.yaml"), text);
    return ConfigFile.read(file, List.of(type)).bind(type);
  }

  private void assertFault(String expected, String text) {
    String message = assertThrows(ConfigFileException.class, () -> fields(text), text).getMessage();
    assertEquals(folder.resolve("train.yaml") + ":" + expected, message);
  }

  @Test
  void fieldsHaveTheirValuesAndTheOthersTheirDefaults() throws IOException {
    Fields found =
        fields(
            "steps: 1_000\n"
                + "optimizer:\n"
                + "  learning_rate: 1e-3\n"
                + "list: [a, b]\n"
                + "path: x\n"
                + "flag: false\n");
    assertEquals(1000, found.steps());
    assertEquals(1e-3, found.optimizer().learningRate());
    assertEquals(List.of("a", "b"), found.list());
    assertEquals(folder.resolve("x"), found.path());
    assertEquals("nobody", found.name());
    assertFalse(found.flag());
    assertEquals(0.5, fields("name: x\n").optimizer().learningRate());
  }

  @Test
  void anUnknownFieldIsNamedWithItsLine() {
    assertFault(
        "3: optimizer.lerning_rate: is not known", "steps: 10\noptimizer:\n  lerning_rate: 1e-3\n");
    assertFault("2: setps: is not known", "steps: 10\nsetps: 3\n");
    assertFault("1: rates.x.rate: is not known", "rates: {x: {rate: [1]}}\n");
  }

  @Test
  void aValueOutOfRangeIsNamedWithItsLine() {
    assertFault(
        "2: steps: expected an integer from 1 to 2147483647, found \"-3\"", "name: 1\nsteps: -3\n");
    assertFault(
        "1: optimizer.learning_rate: expected a number from 0.0 to 1.0, found \"NaN\"",
        "optimizer: {learning_rate: NaN}\n");
  }

  @Test
  void aFieldOfAnotherKindIsNamed() {
    assertFault("1: steps: expected an integer, found a sequence", "steps: [1]\n");
    assertFault("2: name: expected a text, found a mapping", "steps: 1\nname: {a: 1}\n");
    assertFault("1: flag: expected true or false, found \"yes\"", "flag: yes\n");
    assertFault("1: optimizer: expected a mapping", "optimizer: 3\n");
    assertFault("1: list: expected a list", "list: a\n");
    assertFault("1: the file: expected a mapping", "- a\n");
  }

  @Test
  void whatARecordRefusesIsNamedWithItsSection() {
    assertFault("1: steps: is unlucky", "steps: 13\n");
    assertFault("2: optimizer: is a quarter", "optimizer:\n  learning_rate: 0.25\n");
    assertFault("1: rates.x: is a quarter", "rates: {x: {learning_rate: 0.25}}\n");
  }

  @Test
  void aFieldThatOccursTwiceIsRefused() {
    assertFault("2: steps: occurs twice", "steps: 1\nsteps: 2\n");
    assertFault(
        "2: optimizer.learning_rate: occurs twice",
        "optimizer: {learning_rate: 1,\n  learning_rate: 1}\n");
  }

  @Test
  void brokenYamlIsNamedWithItsLine() {
    String message =
        assertThrows(ConfigFileException.class, () -> fields("a: 1\nb: [1, 2\nc: 3\n"))
            .getMessage();
    assertTrue(message.contains("train.yaml:3: is no YAML: "), message);
  }

  @Test
  void aMissingFieldIsNamed() {
    String message =
        assertThrows(ConfigFileException.class, () -> read("{}\n", Needed.class)).getMessage();
    assertEquals(folder.resolve("train.yaml") + ":1: folder: is missing", message);
  }

  @Test
  void nothingIsMadeOfWhatTheFileSaysOfTypes() {
    assertFault(
        "1: is no YAML: Global tag is not allowed: tag:yaml.org,2002:java.io.File",
        "name: !!java.io.File /etc/passwd\n");
    assertFault("1: @class: is not known", "\"@class\": java.io.File\n");
  }

  @Test
  void aliasesCannotMakeAFileLarge() throws IOException {
    assertEquals("x", fields("path: &a x\nname: *a\n").name());
    String message =
        assertThrows(ConfigFileException.class, () -> fields("list: &a [x]\nrates: *a\n"))
            .getMessage();
    assertTrue(message.contains("aliases"), message);
    assertThrows(
        ConfigFileException.class, () -> fields("list: " + "[".repeat(40) + "]".repeat(40)));
  }
}
