/**
 * The demo data set: captioned pictures of one or two of 28 things on one of eight backdrops, in
 * six aspect ratios, drawn by rule from a seed. A part of all compositions is held out by a hash
 * and never drawn for training, so that prompt following can be measured on combinations that a
 * model has not seen.
 *
 * <p>The things are Noto Emoji (Apache License 2.0, see {@code things/NOTICE.md}); backdrops and
 * compositions are drawn here. Nothing here touches libtorch.
 */
package io.bitloom.training.data.demo;
