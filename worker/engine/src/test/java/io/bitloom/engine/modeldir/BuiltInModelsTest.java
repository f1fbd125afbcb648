package io.bitloom.engine.modeldir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BuiltInModelsTest {
  private static final byte[] WEIGHTS = {1, 2, 3};

  @TempDir private Path folder;

  @Test
  void aModelInAJarIsCopiedOnceAndWhole() throws IOException {
    Path copies = folder.resolve("copies");
    try (URLClassLoader jar = jar("{\"sha256\": {\"weights.safetensors\": \"\"}}")) {
      BuiltInModels models = new BuiltInModels(jar, copies);
      Path copy = models.find("demo").orElseThrow();
      assertArrayEquals(WEIGHTS, Files.readAllBytes(copy.resolve("weights.safetensors")));
      FileTime written = Files.getLastModifiedTime(copy.resolve("weights.safetensors"));

      assertEquals(copy, models.find("demo").orElseThrow());
      assertEquals(written, Files.getLastModifiedTime(copy.resolve("weights.safetensors")));
      try (var entries = Files.list(copies)) {
        assertEquals(1, entries.count());
      }
    }
  }

  @Test
  void aCopyThatCannotBeWholeIsNotThere() throws IOException {
    Path copies = folder.resolve("copies");
    try (URLClassLoader jar = jar("{\"sha256\": {\"missing.safetensors\": \"\"}}")) {
      BuiltInModels models = new BuiltInModels(jar, copies);
      String message = assertThrows(WeightsException.class, () -> models.find("demo")).getMessage();
      assertTrue(message.contains("missing.safetensors"), message);
      try (var entries = Files.list(copies)) {
        assertEquals(0, entries.count());
      }
    }
  }

  @Test
  void aPlaceThatCannotBeWrittenIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    try (URLClassLoader jar = jar("{}")) {
      String message =
          assertThrows(WeightsException.class, () -> new BuiltInModels(jar, file).find("demo"))
              .getMessage();
      assertTrue(message.contains(file.toString()), message);
    }
  }

  @Test
  void modelsInAFolderAreUsedWhereTheyLieAndOtherNamesAreNone() {
    BuiltInModels models = BuiltInModels.ofUser();
    Path untrained = models.find(ModelDirectory.UNTRAINED).orElseThrow();
    assertTrue(Files.isRegularFile(untrained.resolve("model.json")), untrained.toString());
    assertFalse(untrained.toString().contains(".cache"), untrained.toString());
    assertEquals(Optional.empty(), models.find("../untrained"));
  }

  private URLClassLoader jar(String description) throws IOException {
    Path jar = folder.resolve("models.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry("io/bitloom/engine/models/demo/model.json"));
      zip.write(description.getBytes(StandardCharsets.UTF_8));
      zip.putNextEntry(new ZipEntry("io/bitloom/engine/models/demo/weights.safetensors"));
      zip.write(WEIGHTS);
    }
    return new URLClassLoader(new URL[] {jar.toUri().toURL()}, null);
  }
}
