package io.bitloom.worker;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The packages of the service are walls. */
@AnalyzeClasses(
    packages = "io.bitloom.worker",
    importOptions = ImportOption.DoNotIncludeTests.class)
class PackageWallsTest {

  @ArchTest
  static final ArchRule packagesDoNotDependOnEachOtherInCircles =
      slices().matching("io.bitloom.worker.(*)..").should().beFreeOfCycles();

  /** So that nothing of it is loaded while there are no traces. */
  @ArchTest
  static final ArchRule nobodyKnowsOpenTelemetry =
      noClasses().should().dependOnClassesThat().resideInAPackage("io.opentelemetry..");
}
