/** Numbers with what they are, side by side. */
export function Tiles({ tiles }: { tiles: readonly (readonly [name: string, value: string])[] }) {
  return (
    <dl class="tiles">
      {tiles.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="value">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
