package io.bitloom.engine.codes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.bitloom.engine.tensor.Resize;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Each step between features, codes and tokens is written down in one place. */
class OneLoopTest {
  private static final JavaClasses ENGINE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.bitloom.engine");

  private static Set<String> callers(Class<?> owner, String method) {
    return ENGINE.get(owner).getMethodCallsToSelf().stream()
        .filter(call -> call.getTarget().getName().equals(method))
        .map(JavaAccess::getOrigin)
        .map(origin -> origin.getOwner().getSimpleName() + "." + origin.getName())
        .collect(Collectors.toSet());
  }

  @Test
  void residualsAreTakenInOneLoop() {
    assertEquals(Set.of("ResidualQuantizer.scaleByScale"), callers(Resampling.class, "down"));
  }

  @Test
  void codesGoUpInThatLoopAndInItsInverse() {
    assertEquals(
        Set.of("ResidualQuantizer.scaleByScale", "ResidualQuantizer.upsampled"),
        callers(Resampling.class, "up"));
    assertEquals(Set.of("Resampling.trilinear"), callers(Resize.class, "trilinear"));
  }

  @Test
  void theNextInputIsTakenFromTheSumInOnePlace() {
    assertEquals(Set.of("TokenLayout.nextInput"), callers(Resampling.class, "toNext"));
  }

  @Test
  void bitsBecomeSignsInOnePlaceOfEachBinaryQuantizer() {
    assertEquals(
        Set.of(
            "BinarySphericalQuantizer.corners",
            "LookupFreeQuantizer.codes",
            "LookupFreeQuantizer.quantize"),
        callers(Bits.class, "signed"));
  }
}
