package io.bitloom.common.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelManifestTest {

  private static final String DIGEST = "ab".repeat(32);

  private static ModelManifest parse(String json) {
    return ModelManifest.parse(json.getBytes(StandardCharsets.UTF_8));
  }

  private static String with(String member) {
    return "{\"name\": \"demo\", \"sizes\": [\"0.06M\"], " + member + "}";
  }

  @Test
  void aDescriptionSaysWhatARegistryHasToKnow() {
    ModelManifest manifest =
        parse(
            with(
                "\"description\": \"small\", \"defaults\": {\"guidance\": 3},"
                    + " \"transformer\": {\"config\": {\"depth\": 6}},"
                    + " \"sha256\": {\"text/words.txt\": \""
                    + DIGEST
                    + "\"}"));
    assertEquals("demo", manifest.name());
    assertEquals("small", manifest.description());
    assertEquals(List.of("0.06M"), manifest.sizes());
    assertEquals(List.of(3.0), manifest.defaults().sampling().guidance());
    assertEquals(6, manifest.blocks());
    assertEquals(Map.of("text/words.txt", DIGEST), manifest.files());
    assertTrue(manifest.versionName().matches("demo@[0-9a-f]{12}"), manifest.versionName());
    assertTrue(manifest.digest().startsWith("sha256:" + manifest.versionName().substring(5)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../x", "/etc/passwd", "a/../b", ".hidden", "a//b", "a\\\\b", "model.json", "a/"})
  void aFileOutsideTheDirectoryIsRefused(String name) {
    BitloomException refused =
        assertThrows(
            BitloomException.class,
            () -> parse(with("\"sha256\": {\"" + name + "\": \"" + DIGEST + "\"}")));
    assertEquals("manifest.sha256", refused.violations().get(0).field());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "manifest | [1]",
        "manifest | {",
        "manifest.name | {\"sizes\": [\"0.06M\"]}",
        "manifest.name | {\"name\": \"a@b\", \"sizes\": [\"0.06M\"]}",
        "manifest.sizes | {\"name\": \"a\"}",
        "manifest.sizes | {\"name\": \"a\", \"sizes\": [\"7M\"]}",
        "manifest.sha256.w | {\"name\": \"a\", \"sizes\": [\"0.06M\"], \"sha256\": {\"w\": \"1\"}}",
        "manifest.defaults | {\"name\": \"a\", \"sizes\": [\"0.06M\"], \"defaults\": {\"x\": 1}}"
      })
  void whatIsWrongIsNamed(String field, String json) {
    BitloomException refused = assertThrows(BitloomException.class, () -> parse(json));
    assertEquals(field, refused.violations().get(0).field(), refused.getMessage());
  }

  @Test
  void aVersionIsNamedByLabelOrDigest() {
    assertEquals("latest", VersionName.parse("model", "demo").label());
    assertEquals("stable", VersionName.parse("model", "demo@stable").label());
    assertEquals(
        Optional.of("0123456789ab"), VersionName.parse("model", "demo@0123456789ab").digest());
    assertEquals(Optional.of(DIGEST), VersionName.parse("model", "demo@sha256:" + DIGEST).digest());
    assertFalse(VersionName.isLabel("abcdefabcdef"), "it could be a digest");
    assertFalse(VersionName.isLabel("1.0"), "labels begin with a letter");
    for (String wrong : List.of("", "@", "demo@", "demo@x@y", "demo@0123", "a b")) {
      assertThrows(BitloomException.class, () -> VersionName.parse("model", wrong), wrong);
    }
  }
}
