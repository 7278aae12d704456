import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";
import { InputError } from "../../../errors.js";
import type { ByteSource } from "../../../tensor/byte-source.js";
import { readWhole } from "./read-json.js";

/** What a piece is, by the numbers of sentencepiece_model.proto. */
export const pieceTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Piece {
  piece: string;
  score: number;
  type: number;
}

/** A SentencePiece model, as far as it is read. */
export interface SentencePieceFile {
  readonly pieces: readonly Piece[];
  readonly kind: "Unigram" | "BPE";
  readonly byteFallback: boolean;
  readonly spaceAsSuffix: boolean;
  readonly addsSpace: boolean;
  readonly dropsExtraSpaces: boolean;
  readonly escapesSpaces: boolean;
  /** The map of its normalizer; empty for none. */
  readonly charsmap: Uint8Array;
  /** Pieces that begin and end a text and stand for what is unknown. */
  readonly roles: Readonly<Record<string, string>>;
}

/**
 * Reads the tokenizer.model of SentencePiece.
 * @throws InputError if it is none, or of a kind that is not supported
 */
export async function readSentencePiece(source: ByteSource): Promise<SentencePieceFile> {
  const bytes = await readWhole(source);
  let model: RawModel;
  try {
    model = readModel(new BinaryReader(bytes), bytes.length);
  } catch (error) {
    const reason = (error as Error).message.slice(0, 120);
    throw new InputError(source.name, `is not a SentencePiece model: ${reason}`, { cause: error });
  }
  if (model.pieces.length === 0) throw new InputError(source.name, "is not a SentencePiece model: it has no pieces");
  const kind = ({ 1: "Unigram", 2: "BPE" } as const)[model.modelType];
  if (kind === undefined) {
    throw new InputError(source.name, `has model_type ${model.modelType}; Unigram (1) and BPE (2) are read`);
  }
  const { pieces, roleIds, ...rest } = model;
  const roles = Object.entries(roleIds).flatMap(([role, id]) => (pieces[id] ? [[role, pieces[id].piece]] : []));
  return { ...rest, pieces, kind, roles: Object.fromEntries(roles) };
}

interface RawModel extends Omit<SentencePieceFile, "kind" | "roles"> {
  pieces: Piece[];
  modelType: number;
  roleIds: Record<string, number>;
}

function readModel(reader: BinaryReader, end: number): RawModel {
  const model = {
    pieces: [] as Piece[],
    modelType: 1,
    byteFallback: false,
    spaceAsSuffix: false,
    addsSpace: true,
    dropsExtraSpaces: true,
    escapesSpaces: true,
    charsmap: new Uint8Array(0) as Uint8Array,
    roleIds: { unk_token: 0, bos_token: 1, eos_token: 2 },
  };
  eachField(reader, end, {
    1: () => model.pieces.push(readPiece(reader)),
    2: () =>
      message(reader, {
        3: () => (model.modelType = reader.int32()),
        24: () => (model.spaceAsSuffix = reader.bool()),
        35: () => (model.byteFallback = reader.bool()),
        40: () => (model.roleIds.unk_token = reader.int32()),
        41: () => (model.roleIds.bos_token = reader.int32()),
        42: () => (model.roleIds.eos_token = reader.int32()),
      }),
    3: () =>
      message(reader, {
        2: () => (model.charsmap = reader.bytes()),
        3: () => (model.addsSpace = reader.bool()),
        4: () => (model.dropsExtraSpaces = reader.bool()),
        5: () => (model.escapesSpaces = reader.bool()),
      }),
  });
  return model;
}

function readPiece(reader: BinaryReader): Piece {
  const piece: Piece = { piece: "", score: 0, type: pieceTypes.normal };
  message(reader, {
    1: () => (piece.piece = reader.string()),
    2: () => (piece.score = reader.float()),
    3: () => (piece.type = reader.int32()),
  });
  if (!Number.isFinite(piece.score)) throw new Error("a score is not finite");
  return piece;
}

type Readers = Readonly<Record<number, () => unknown>>;

/** A message inside another one. */
function message(reader: BinaryReader, readers: Readers): void {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new Error("a part ends after the file");
  eachField(reader, end, readers);
}

function eachField(reader: BinaryReader, end: number, readers: Readers): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    const read = readers[field];
    if (read === undefined) reader.skip(wireType as WireType, field);
    else read();
  }
  if (reader.pos !== end) throw new Error("a part ends inside a field");
}
