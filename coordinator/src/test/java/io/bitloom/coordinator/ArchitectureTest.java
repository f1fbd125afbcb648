package io.bitloom.coordinator;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.dispatch.matching.BatchTaker;
import io.bitloom.coordinator.dispatch.matching.Matcher;
import io.bitloom.coordinator.jobs.Quotas;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.PromptStore;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import java.util.concurrent.ScheduledExecutorService;

/** The walls between the coordinator's packages. */
@AnalyzeClasses(
    packages = "io.bitloom.coordinator",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule PACKAGES_FORM_NO_CIRCLES =
      slices().matching("io.bitloom.coordinator.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule ONLY_THE_QUEUE_SPEAKS_TO_REDIS =
      noClasses()
          .that()
          .resideOutsideOfPackages("..coordinator.queue..", "..coordinator.redis..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.lettuce..");

  /** So that nothing of it is loaded while there are no traces. */
  @ArchTest
  static final ArchRule NOBODY_KNOWS_OPENTELEMETRY =
      noClasses().should().dependOnClassesThat().resideInAPackage("io.opentelemetry..");

  @ArchTest
  static final ArchRule ONLY_THE_HTTP_PORT_AND_THE_SENDER_OF_WEBHOOKS_KNOW_VERTX =
      noClasses()
          .that()
          .resideOutsideOfPackage("..coordinator.http..")
          .and()
          .haveNameNotMatching(".*\\.webhooks\\.WebhookSender(\\$.*)?")
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
          .resideInAnyPackage("..coordinator.jobs..", "..coordinator.pools..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.grpc..", "..coordinator.grpc..", "io.vertx..")
          .orShould()
          .dependOnClassesThat()
          .haveSimpleNameEndingWith("Grpc")
          .orShould()
          .dependOnClassesThat()
          .haveSimpleName("GrpcErrors");

  /**
   * Jobs ask who may receive; what a job is like, its messages, is handed in by who puts all
   * together.
   */
  @ArchTest
  static final ArchRule WEBHOOKS_KNOW_NEITHER_DOORS_NOR_THE_RULES_OF_JOBS =
      noClasses()
          .that()
          .resideInAPackage("..coordinator.webhooks..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.grpc..",
              "..coordinator.api..",
              "..coordinator.grpc..",
              "..coordinator.http..",
              "..coordinator.jobs..",
              "..coordinator.dispatch..",
              "..coordinator.redis..");

  @ArchTest
  static final ArchRule DOORS_REACH_JOBS_BY_THEIR_RULES_ONLY =
      noClasses()
          .that()
          .resideInAnyPackage(
              "..coordinator.api..", "..coordinator.http..", "..coordinator.scaler..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "..coordinator.queue..", "..coordinator.redis..", "..coordinator.dispatch..");

  @ArchTest
  static final ArchRule ALL_THAT_GOES_INTO_THE_QUEUE_PASSES_THE_QUOTAS =
      noClasses()
          .that()
          .resideOutsideOfPackage("..coordinator.queue..")
          .and()
          .doNotHaveFullyQualifiedName(Quotas.class.getName())
          .should()
          .callMethodWhere(
              target(nameMatching("create|append"))
                  .and(
                      target(
                          owner(
                              assignableTo(JobStore.class).or(assignableTo(PromptStore.class))))));

  @ArchTest
  static final ArchRule ONLY_DOORS_KNOW_GRPC =
      noClasses()
          .that()
          .resideInAnyPackage(
              "..coordinator.auth..", "..coordinator.config..", "..coordinator.results..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.grpc..");

  @ArchTest
  static final ArchRule THE_QUEUE_KNOWS_NOTHING_OF_ITS_ROOMS =
      noClasses()
          .that()
          .resideInAPackage("io.bitloom.coordinator.queue")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("..queue.redis..", "..queue.upkeep..");

  @ArchTest
  static final ArchRule SCRIPTS_KNOW_NOTHING_OF_UPKEEP =
      noClasses()
          .that()
          .resideInAPackage("..queue.redis..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("..queue.upkeep..");

  @ArchTest
  static final ArchRule ONLY_THE_QUEUE_KNOWS_ITS_ROOMS =
      noClasses()
          .that()
          .resideOutsideOfPackage("..coordinator.queue..")
          .and()
          .doNotHaveFullyQualifiedName(Coordinator.class.getName())
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("..queue.redis..", "..queue.upkeep..");

  @ArchTest
  static final ArchRule WHO_OPENS_THE_QUEUE_KNOWS_NO_MORE_OF_ITS_ROOMS =
      noClasses()
          .that()
          .haveFullyQualifiedName(Coordinator.class.getName())
          .should()
          .dependOnClassesThat(
              resideInAnyPackage("..queue.redis..", "..queue.upkeep..")
                  .and(not(type(RunningQueue.class))));

  @ArchTest
  static final ArchRule UPKEEP_READS_NO_REPLIES_OF_REDIS =
      noClasses()
          .that()
          .resideInAPackage("..queue.upkeep..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.lettuce..");

  @ArchTest
  static final ArchRule MATCHING_KNOWS_NOTHING_OF_STREAMS =
      noClasses()
          .that()
          .resideInAPackage("..dispatch.matching..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("..dispatch.worker..", "io.grpc..");

  @ArchTest
  static final ArchRule STREAMS_SEE_ONE_FACE_OF_MATCHING =
      noClasses()
          .that()
          .resideInAPackage("..dispatch.worker..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("..dispatch.matching..")
                  .and(not(type(Matcher.class)))
                  .and(not(type(BatchTaker.class))));

  /** In futures and executors what a task throws is seen by nobody; the loop reports it. */
  @ArchTest
  static final ArchRule ONLY_THE_LOOP_HAS_ITS_EXECUTOR =
      noClasses()
          .that()
          .resideInAPackage("..coordinator.dispatch..")
          .and()
          .doNotHaveFullyQualifiedName(DispatchLoop.class.getName())
          .should()
          .dependOnClassesThat()
          .areAssignableTo(ScheduledExecutorService.class);
}
