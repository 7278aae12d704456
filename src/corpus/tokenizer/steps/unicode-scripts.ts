import { scriptless } from "./unicode-tables.js";

/** Unicode's scripts that UnicodeScripts tells apart; kana count as Han. */
const scripts = [
  ..."Latin Common Inherited Han Cyrillic Arabic Hangul Greek Devanagari Hebrew Thai Adlam Ahom Anatolian_Hieroglyphs".split(
    " ",
  ),
  ..."Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid".split(
    " ",
  ),
  ..."Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Coptic Cuneiform Cypriot Deseret".split(" "),
  ..."Duployan Egyptian_Hieroglyphs Elbasan Ethiopic Georgian Glagolitic Gothic Grantha Gujarati Gurmukhi Hanunoo".split(
    " ",
  ),
  ..."Hatran Imperial_Aramaic Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Kayah_Li".split(" "),
  ..."Kharoshthi Khmer Khojki Khudawadi Lao Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani".split(" "),
  ..."Malayalam Mandaic Manichaean Marchen Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs".split(" "),
  ..."Miao Modi Mongolian Mro Multani Myanmar Nabataean New_Tai_Lue Newa Nko Ogham Ol_Chiki Old_Hungarian".split(" "),
  ..."Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_South_Arabian Old_Turkic Oriya Osage Osmanya".split(" "),
  ..."Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra".split(
    " ",
  ),
  ..."Sharada Shavian Siddham SignWriting Sinhala Sora_Sompeng Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa".split(
    " ",
  ),
  ..."Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangut Telugu Thaana Tibetan Tifinagh Tirhuta Ugaritic Vai".split(" "),
  ..."Warang_Citi Yi".split(" "),
].map((name) => ({ name, pattern: new RegExp(`^\\p{Script=${name}}`, "u") }));
const kana = /^[\p{Script=Hiragana}\p{Script=Katakana}\u30fc]/u;

/** Characters whose script Unicode has changed since. */
const earlier: Record<string, string> = {
  "\u0589": "Common",
  "\u061c": "Common",
  "\u0953": "Devanagari",
  "\u0954": "Devanagari",
};

const known = new Map<string, string>();

/** A character's script; "" for a space and for what has none, which go with any. */
function scriptOf(character: string): string {
  let script = known.get(character);
  if (script === undefined) {
    script = earlier[character] ?? lookUp(character);
    known.set(character, script);
  }
  return script;
}

function lookUp(character: string): string {
  if (kana.test(character) && !scriptless.test(character)) return "Han";
  if (scriptless.test(character)) return "";
  return scripts.find(({ pattern }) => pattern.test(character))?.name ?? "";
}

/**
 * Pieces of one script each; what is before the first character that has one is dropped.
 * @returns start and end of each piece, one after the other
 */
export function scriptPieces(text: string): number[] {
  const starts: number[] = [];
  let last: string | undefined;
  let at = 0;
  for (const character of text) {
    const script = scriptOf(character);
    if (script !== "" && script !== last) starts.push(at);
    if (script !== "") last = script;
    at += character.length;
  }
  return starts.flatMap((start, index) => [start, starts[index + 1] ?? text.length]);
}
