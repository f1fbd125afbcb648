package io.bitloom.worker;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The packages of the worker are walls: what the paper describes knows nothing of the cluster. */
@AnalyzeClasses(
    packages = "io.bitloom.worker",
    importOptions = ImportOption.DoNotIncludeTests.class)
class PackageWallsTest {
  private static final String[] BASICS = {"java..", "org.slf4j..", "org.bytedeco.."};

  @ArchTest
  static final ArchRule theModelKnowsNothingOfTheCluster =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.bitloom.worker.model..",
              "io.bitloom.worker.tokenizer..",
              "io.bitloom.worker.codes..",
              "io.bitloom.worker.tensor..",
              "io.bitloom.worker.checkpoint..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.grpc..",
              "com.google.protobuf..",
              "io.bitloom.v1..",
              "io.vertx..",
              "io.lettuce..",
              "redis..",
              "picocli..")
          .allowEmptyShould(true);

  @ArchTest
  static final ArchRule theTensorLayerStandsAlone =
      onlyDependsOn("tensor", "com.sun.jna..", "com.google.gson..");

  @ArchTest
  static final ArchRule checkpointsBecomeTensors =
      onlyDependsOn("checkpoint", "io.bitloom.worker.tensor..", "com.google.gson..");

  @ArchTest
  static final ArchRule residualCodesAreMadeOfTensorsAndSchedules =
      onlyDependsOn(
          "codes",
          "io.bitloom.worker.tensor..",
          "io.bitloom.common.schedule..",
          "com.google.gson..");

  @ArchTest
  static final ArchRule theTransformerIsMadeOfTensorsCodesAndSchedules =
      onlyDependsOn(
          "model",
          "io.bitloom.worker.tensor..",
          "io.bitloom.worker.codes..",
          "io.bitloom.common.schedule..",
          "com.google.gson..");

  @ArchTest
  static final ArchRule theTokenizerIsMadeOfTensorsCodesAndSchedules =
      onlyDependsOn(
          "tokenizer",
          "io.bitloom.worker.tensor..",
          "io.bitloom.worker.codes..",
          "io.bitloom.common.schedule..",
          "com.google.gson..");

  @ArchTest
  static final ArchRule textEncodersAreMadeOfTensorsAndTokens =
      onlyDependsOn(
          "text",
          "io.bitloom.worker.tensor..",
          "io.bitloom.worker.checkpoint..",
          "com.google.gson..",
          "com.google.protobuf..", // sentencepiece's file format
          "ai.djl..");

  @ArchTest
  static final ArchRule packagesDoNotDependOnEachOtherInCircles =
      slices().matching("io.bitloom.worker.(*)..").should().beFreeOfCycles();

  private static ArchRule onlyDependsOn(String owner, String... others) {
    String self = "io.bitloom.worker." + owner + "..";
    return classes()
        .that()
        .resideInAPackage(self)
        .should()
        .onlyDependOnClassesThat(
            resideInAPackage(self).or(resideInAnyPackage(others)).or(resideInAnyPackage(BASICS)))
        .allowEmptyShould(true);
  }
}
