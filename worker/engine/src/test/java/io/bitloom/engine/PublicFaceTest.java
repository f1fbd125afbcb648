package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.DeviceThread;
import io.bitloom.engine.tensor.TorchDevice;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a program that draws with the engine has to know, and may rely on. */
class PublicFaceTest {
  private static final Path SOURCES = Path.of("src/main/java");
  private static final Path CLASSES = Path.of("target/classes");
  private static final String FACE = Engine.class.getPackageName();
  private static final String NOT_FOR_USERS =
      "Not part of the library's public face: may change in any release.";

  /** Of other packages: what is asked for, what draws it, what comes of it, and who counts. */
  private static final Set<Class<?>> BESIDE =
      Set.of(
          ImagePrompt.class,
          ScaleSchedule.class,
          ModelDirectory.class,
          TorchDevice.class,
          DeviceThread.class,
          DType.class,
          RgbImage.class,
          MeterRegistry.class);

  @Test
  void everyOtherPackageSaysThatItIsNotForUsers() throws IOException {
    List<Path> packages = packages();
    assertTrue(packages.size() > 5, packages.toString());
    List<Path> wrong = new ArrayList<>();
    for (Path folder : packages) {
      boolean face = folder.equals(SOURCES.resolve(FACE.replace('.', '/')));
      if (says(folder) == face) {
        wrong.add(folder);
      }
    }
    assertEquals(List.of(), wrong);
  }

  private static List<Path> packages() throws IOException {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .map(Path::getParent)
          .distinct()
          .sorted()
          .toList();
    }
  }

  private static boolean says(Path folder) throws IOException {
    Path info = folder.resolve("package-info.java");
    return Files.exists(info)
        && Files.readString(info).replaceAll("\\s+\\*?\\s*", " ").contains(NOT_FOR_USERS);
  }

  @Test
  void whatTheEngineTakesAndGivesIsOfItsOwnPackage() {
    JavaClasses classes = new ClassFileImporter().importPath(CLASSES);
    Set<String> seen = new TreeSet<>(Set.of(Engine.class.getName()));
    Set<String> beside = new TreeSet<>();
    Deque<JavaClass> open = new ArrayDeque<>(List.of(classes.get(Engine.class)));
    while (!open.isEmpty()) {
      signatures(open.remove())
          .map(JavaClass::getBaseComponentType)
          .filter(type -> !type.isPrimitive() && !type.getPackageName().startsWith("java."))
          .forEach(
              type -> {
                if (!type.getPackageName().equals(FACE)) {
                  beside.add(type.getName().replaceFirst("\\$.*", ""));
                } else if (seen.add(type.getName())) {
                  open.add(type);
                }
              });
    }
    assertTrue(seen.contains(PromptWork.class.getName()), seen.toString());
    assertEquals(
        BESIDE.stream().map(Class::getName).collect(Collectors.toCollection(TreeSet::new)), beside);
  }

  /** The types in the public members of a class. */
  private static Stream<JavaClass> signatures(JavaClass owner) {
    Stream<JavaType> fields =
        owner.getFields().stream().filter(PublicFaceTest::isPublic).map(field -> field.getType());
    Stream<JavaType> units =
        owner.getCodeUnits().stream()
            .filter(PublicFaceTest::isPublic)
            .flatMap(PublicFaceTest::types);
    return Stream.concat(fields, units).flatMap(type -> type.getAllInvolvedRawTypes().stream());
  }

  private static Stream<JavaType> types(JavaCodeUnit unit) {
    return Stream.concat(Stream.of(unit.getReturnType()), unit.getParameterTypes().stream());
  }

  private static boolean isPublic(JavaMember member) {
    return member.getModifiers().contains(JavaModifier.PUBLIC);
  }
}
