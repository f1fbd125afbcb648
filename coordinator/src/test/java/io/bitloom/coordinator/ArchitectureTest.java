package io.bitloom.coordinator;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The walls between the coordinator's packages. */
@AnalyzeClasses(
    packages = "io.bitloom.coordinator",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule PACKAGES_FORM_NO_CIRCLES =
      slices().matching("io.bitloom.coordinator.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule ONLY_THE_QUEUE_SPEAKS_TO_REDIS =
      noClasses()
          .that()
          .resideOutsideOfPackages("..coordinator.queue..", "..coordinator.redis..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.lettuce..");

  @ArchTest
  static final ArchRule ONLY_THE_HTTP_PORT_KNOWS_VERTX =
      noClasses()
          .that()
          .resideOutsideOfPackage("..coordinator.http..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.vertx..");

  @ArchTest
  static final ArchRule THE_QUEUE_KNOWS_NOTHING_OF_CALLERS =
      noClasses()
          .that()
          .resideInAnyPackage("..coordinator.queue..", "..coordinator.redis..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.grpc..", "..coordinator.api..", "..coordinator.dispatch..");

  @ArchTest
  static final ArchRule THE_RULES_OF_JOBS_KNOW_NO_DOOR =
      noClasses()
          .that()
          .resideInAPackage("..coordinator.jobs..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.grpc..", "..coordinator.grpc..", "io.vertx..")
          .orShould()
          .dependOnClassesThat()
          .haveSimpleNameEndingWith("Grpc")
          .orShould()
          .dependOnClassesThat()
          .haveSimpleName("GrpcErrors");

  @ArchTest
  static final ArchRule DOORS_REACH_JOBS_BY_THEIR_RULES_ONLY =
      noClasses()
          .that()
          .resideInAnyPackage("..coordinator.api..", "..coordinator.http..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "..coordinator.queue..", "..coordinator.redis..", "..coordinator.dispatch..");

  @ArchTest
  static final ArchRule ONLY_DOORS_KNOW_GRPC =
      noClasses()
          .that()
          .resideInAnyPackage(
              "..coordinator.auth..", "..coordinator.config..", "..coordinator.results..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.grpc..");
}
