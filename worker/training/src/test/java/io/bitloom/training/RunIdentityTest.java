package io.bitloom.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.training.tokenizer.TokenizerJob;
import io.bitloom.training.transformer.TransformerJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The text that checkpoints know their run by. With another text, old runs could not be resumed.
 */
class RunIdentityTest {
  @TempDir private Path folder;

  private Path file(String yaml) throws IOException {
    return Files.writeString(folder.resolve("train.yaml"), yaml);
  }

  private void assertIdentity(String expected, TrainingJob job) {
    assertEquals(expected.strip(), job.identity().replace(folder.toString(), "FOLDER").strip());
  }

  @Test
  void ofATransformersTraining() throws IOException {
    Path file =
        file(
            """
            folder: run
            seed: 1_000
            steps: 10000
            precision: bf16
            tokenizer: demo
            transformer:
              depth: 2
              embed_dim: 256
              num_heads: 4
              mlp_ratio: 4.0
              norm_eps: 1.0e-6
              text_channels: 256
              text_maxlen: 32
              shared_aln: true
              rope2d_each_sa_layer: 1
            text_encoder: {type: word_embeddings, vocabulary: 300, relative_buckets: 32}
            objective: {flip_strength: 0.1, weigh_bits: true, all_scales_from: 300}
            data:
              path: captions
              size: 0.25M
              upright: true
              to_srgb: true
              validation_fraction: 0.02
              filters: {watermark: {max: 0.5}, aesthetic: {min: 5}}
            optimizer: {type: muon, learning_rate: 6e-4, matrix_learning_rate: 0.006, schedule: cosine}
            initialization: {gate: 0.01}
            """);
    assertIdentity(
        """
        transformer: {"embed_dim":256,"depth":2,"num_heads":4,"mlp_ratio":4.0,"text_channels":256,"text_maxlen":32,"norm_eps":0.0000010,"shared_aln":true,"rope2d_each_sa_layer":1}
        start_from: InfinityInitialization[gate=0.01, modulation=0.001, head=0.02]
        text_encoder: TextSettings[learns=true, first=NewText[words=300, config=WordEmbeddingConfig[width=256, depth=1, numHeads=4, maxLength=32, relativeBuckets=32]], newPositions=0]
        objective: Objective[flipStrength=0.1, flipScales=13, requantize=true, conditionDrop=0.1, reweight=true, weighBits=true, bitSum=false, scales=100, allScalesFrom=300]
        optimizer: Settings[beta1=0.9, beta2=0.97, eps=1.0E-8, weightDecay=0.005] clip 5.0
        learning rate: LearningRate[peak=6.0E-4, shape=COSINE, warmup=0, start=0.005, end=1.0]
        ema: 0.9999
        part_tokens: 2147483647
        precision: BF16
        seed: 1000
        steps: 10000
        data.path: FOLDER/captions upright srgb
        data.size: 0.25M
        data.filters: [Threshold[column=watermark, least=-Infinity, most=0.5], Threshold[column=aesthetic, least=5.0, most=Infinity]]
        data.batch_tokens: 8192
        data.shuffle_buffer: 10000
        data.short_captions: 0.5
        data.validation: null 0.02
        muon: Settings[rate=10.000000000000002, momentum=0.95]
        """,
        TransformerJob.read(file));
  }

  @Test
  void ofATokenizersTraining() throws IOException {
    Path file =
        file(
            """
            folder: run
            device: cpu
            tokenizer: {codebook_dim: 4, base_ch: 24, ch_mult: [1, 1, 1], pixel_shuffle: 4}
            quantizer: {kind: fsq, levels: [3, 3, 5, 5], single_scale: true}
            perceptual: {vgg: vgg.pth}
            data: {demo: {seed: 3}}
            """);
    assertIdentity(
        """
        tokenizer: TokenizerSettings[architecture=TokenizerConfig[codebookDim=4, patchSize=16, baseCh=24, chMult=[1, 1, 1], numResBlocks=1, vocabSize=0, pixelShuffle=4], quantizer=QuantizerConfig[kind=FSQ, d=4, codebookSize=1024, levels=[3, 3, 5, 5], entropyWeight=0.1, codebookEntropyWeight=1.0, commitmentWeight=0.25, inverseTemperature=10.0, decay=0.99, singleScale=true], adamW=Settings[beta1=0.9, beta2=0.97, eps=1.0E-8, weightDecay=0.005], muon=null, learningRate=LearningRate[peak=1.0E-4, shape=CONSTANT, warmup=0, start=0.005, end=1.0], clip=5.0, averageDecay=0.9999, partTokens=2147483647, scales=7, squaredWeight=0.0, adversarialStart=0, adversarialWeight=0.0, discriminatorWidth=32, device=cpu, freezeEncoder=false, seed=0, steps=1000]
        start_from:
        perceptual: Perceptual[weight=1.0, vgg=FOLDER/vgg.pth, heads=null]
        data.path: Demo[seed=3, count=20000, heldOut=false, readingOrder=false]
        data.size: 0.06M
        data.filters: []
        data.batch_tokens: 8192
        data.shuffle_buffer: 10000
        data.short_captions: 0.5
        data.validation: null 0.0
        """
            .replace("start_from:\n", "start_from: \n"),
        TokenizerJob.read(file));
  }
}
