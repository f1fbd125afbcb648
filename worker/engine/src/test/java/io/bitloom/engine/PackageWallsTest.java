package io.bitloom.engine;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.conditions.ArchConditions;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Set;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.TensorOptions;

/** The packages of the engine are walls: what the paper describes knows nothing of the cluster. */
@AnalyzeClasses(
    packages = "io.bitloom.engine",
    importOptions = ImportOption.DoNotIncludeTests.class)
class PackageWallsTest {
  private static final String[] BASICS = {"java..", "org.slf4j..", "org.bytedeco.."};

  @ArchTest
  static final ArchRule theModelKnowsNothingOfTheCluster =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.bitloom.engine.model..",
              "io.bitloom.engine.tokenizer..",
              "io.bitloom.engine.codes..",
              "io.bitloom.engine.nn..",
              "io.bitloom.engine.tensor..",
              "io.bitloom.engine.checkpoint..")
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
  static final ArchRule backendsAreReachedThroughTheLayersOnly =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.bitloom.engine.model..",
              "io.bitloom.engine.tokenizer..",
              "io.bitloom.engine.codes..",
              "io.bitloom.engine.text..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.bitloom.engine.tensor.cpu..", "io.bitloom.engine.tensor.cuda..")
          .orShould(askForADevice());

  private static ArchCondition<JavaClass> askForADevice() {
    Set<String> questions = Set.of("cuda", "is_cuda", "is_cpu");
    return ArchConditions.callMethodWhere(
        DescribedPredicate.describe(
            "ask for a device", call -> questions.contains(call.getTarget().getName())));
  }

  /** A GPU waits for each, so they are counted where they are: in {@link Tensors}. */
  @ArchTest
  static final ArchRule valuesComeToADeviceAndBackThroughTensorsOnly =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.bitloom.engine.model..",
              "io.bitloom.engine.tokenizer..",
              "io.bitloom.engine.codes..",
              "io.bitloom.engine.text..",
              "io.bitloom.engine.nn..",
              "io.bitloom.engine.tensor.cuda..")
          .or()
          .haveSimpleName("LibtorchKernels")
          .should(moveValues());

  private static ArchCondition<JavaClass> moveValues() {
    return ArchConditions.callMethodWhere(
        DescribedPredicate.describe(
            "move values between Java and a device",
            call -> {
              String name = call.getTarget().getName();
              return call.getTargetOwner().isAssignableTo(TensorBase.class)
                  && (Set.of("cpu", "cuda", "equal", "nonzero", "is_nonzero").contains(name)
                      || name.startsWith("item")
                      || name.contains("data_ptr")
                      || name.equals("to") && takesADevice(call));
            }));
  }

  private static boolean takesADevice(JavaMethodCall call) {
    return call.getTarget().getRawParameterTypes().stream()
        .anyMatch(
            type -> type.isEquivalentTo(Device.class) || type.isEquivalentTo(TensorOptions.class));
  }

  /** Else a tensor on the CPU could meet one on a GPU, or be moved there time and again. */
  @ArchTest
  static final ArchRule whatIsMadeOfNumbersSaysWhere =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.bitloom.engine.model..",
              "io.bitloom.engine.tokenizer..",
              "io.bitloom.engine.codes..",
              "io.bitloom.engine.nn..",
              "io.bitloom.engine.tensor.cuda..")
          .or()
          .haveSimpleName("LibtorchKernels")
          .should(
              ArchConditions.callMethodWhere(
                  DescribedPredicate.describe(
                      "make a tensor of numbers without a device",
                      call ->
                          call.getTargetOwner().isEquivalentTo(Tensors.class)
                              && call.getName().equals("of")
                              && call.getTarget().getRawParameterTypes().stream()
                                  .noneMatch(type -> type.isEquivalentTo(TorchDevice.class)))));

  @ArchTest
  static final ArchRule layersAreMadeOfKernels = onlyDependsOn("nn", "io.bitloom.engine.tensor..");

  @ArchTest
  static final ArchRule backendsDoNotKnowEachOther =
      noClasses()
          .that()
          .resideInAPackage("io.bitloom.engine.tensor.cpu..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.bitloom.engine.tensor.cuda..");

  @ArchTest
  static final ArchRule tensorsDoNotKnowTheBackends =
      noClasses()
          .that()
          .resideInAPackage("io.bitloom.engine.tensor")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.bitloom.engine.tensor.cpu..", "io.bitloom.engine.tensor.cuda..");

  @ArchTest
  static final ArchRule checkpointsBecomeTensors =
      onlyDependsOn(
          "checkpoint",
          "io.bitloom.engine.tensor..",
          "io.bitloom.common.file..",
          "com.google.gson..");

  @ArchTest
  static final ArchRule residualCodesAreMadeOfTensorsAndSchedules =
      onlyDependsOn(
          "codes",
          "io.bitloom.engine.tensor..",
          "io.bitloom.engine.nn..",
          "io.bitloom.common.schedule..",
          "com.google.gson..");

  @ArchTest
  static final ArchRule theTransformerIsMadeOfTensorsCodesAndSchedules =
      onlyDependsOn(
          "model",
          "io.bitloom.engine.tensor..",
          "io.bitloom.engine.nn..",
          "io.bitloom.engine.codes..",
          "io.bitloom.common.schedule..",
          "com.google.gson..");

  @ArchTest
  static final ArchRule theTokenizerIsMadeOfTensorsCodesAndSchedules =
      onlyDependsOn(
          "tokenizer",
          "io.bitloom.engine.tensor..",
          "io.bitloom.engine.nn..",
          "io.bitloom.engine.codes..",
          "io.bitloom.common.schedule..",
          "com.google.gson..");

  @ArchTest
  static final ArchRule textEncodersAreMadeOfTensorsAndTokens =
      onlyDependsOn(
          "text",
          "io.bitloom.engine.tensor..",
          "io.bitloom.engine.nn..",
          "io.bitloom.engine.checkpoint..",
          "com.google.gson..",
          "com.google.protobuf..", // sentencepiece's file format
          "ai.djl..");

  @ArchTest
  static final ArchRule packagesDoNotDependOnEachOtherInCircles =
      slices().matching("io.bitloom.engine.(*)..").should().beFreeOfCycles();

  private static ArchRule onlyDependsOn(String owner, String... others) {
    String self = "io.bitloom.engine." + owner + "..";
    return classes()
        .that()
        .resideInAPackage(self)
        .should()
        .onlyDependOnClassesThat(
            resideInAPackage(self).or(resideInAnyPackage(others)).or(resideInAnyPackage(BASICS)))
        .allowEmptyShould(true);
  }
}
