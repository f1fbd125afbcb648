package io.bitloom.worker.train.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class YamlFieldsTest {
  @TempDir private Path folder;

  private YamlFields yaml(String text) throws IOException {
    Path file = folder.resolve("train.yaml");
    Files.writeString(file, text);
    return YamlFields.read(file);
  }

  private void assertFault(String expected, Executable reading) {
    String message = assertThrows(ConfigFileException.class, reading).getMessage();
    assertEquals(folder.resolve("train.yaml") + ":" + expected, message);
  }

  @Test
  void fieldsHaveTheirValuesAndTheOthersTheirDefaults() throws IOException {
    YamlFields yaml = yaml("steps: 10\noptimizer:\n  learning_rate: 1e-3\nlist: [a, b]\n");
    assertEquals(10, yaml.count("steps", 1, 1));
    assertEquals(1e-3, yaml.section("optimizer").number("learning_rate", 0, 0, 1));
    assertEquals(7, yaml.section("missing").count("x", 7, 1));
    assertEquals(2, yaml.texts("list").size());
    yaml.done();
  }

  @Test
  void anUnknownFieldIsNamedWithItsLine() throws IOException {
    YamlFields yaml = yaml("steps: 10\noptimizer:\n  lerning_rate: 1e-3\n");
    yaml.count("steps", 1, 1);
    yaml.section("optimizer").number("learning_rate", 0, 0, 1);
    assertFault("3: optimizer.lerning_rate: is not known", yaml::done);
  }

  @Test
  void aValueOutOfRangeIsNamedWithItsLine() throws IOException {
    YamlFields yaml = yaml("seed: 1\nsteps: -3\n");
    assertFault(
        "2: steps: expected an integer from 1 to 2147483647, found \"-3\"",
        () -> yaml.count("steps", 1, 1));
  }

  @Test
  void aFieldOfAnotherKindIsNamed() throws IOException {
    YamlFields yaml = yaml("steps: [1]\nname: {a: 1}\nflag: yes\n");
    assertFault("1: steps: expected an integer, found a sequence", () -> yaml.count("steps", 1, 1));
    assertFault("2: name: expected a text, found a mapping", () -> yaml.text("name"));
    assertFault("3: flag: expected true or false, found \"yes\"", () -> yaml.flag("flag", true));
  }

  @Test
  void aFieldThatOccursTwiceIsRefused() {
    assertFault("2: steps: occurs twice", () -> yaml("steps: 1\nsteps: 2\n"));
  }

  @Test
  void brokenYamlIsNamedWithItsLine() {
    String message =
        assertThrows(ConfigFileException.class, () -> yaml("a: 1\nb: [1, 2\nc: 3\n")).getMessage();
    assertTrue(message.contains("train.yaml:3: is no YAML: "), message);
  }

  @Test
  void aMissingFieldIsNamed() throws IOException {
    YamlFields yaml = yaml("a: 1\n");
    assertFault("1: folder: is missing", () -> yaml.path("folder"));
  }
}
