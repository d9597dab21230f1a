// Runs ONNX models in ONNX Runtime, for tests/end/test_export.sh.
//
//   NODE_PATH=.../node_modules node run_onnx.js <JOBS
//
// A job is a line "MODEL TYPE COLUMNS FEATURES OUT": TYPE is float32 or float64, FEATURES a file of numbers by rows. Each
// output of the model goes to OUT.NAME as numbers in one line, and all metadata to OUT.shapes as "NAME TYPE EXTENT...".
'use strict';
const fs = require('fs');
const ort = require('onnxruntime-node');

const numbersOf = (file) => fs.readFileSync(file, 'utf8').trim().split(/\s+/).map(Number);

async function run([model, type, columns, features, out]) {
  const numbers = numbersOf(features);
  const data = type === 'float64' ? Float64Array.from(numbers) : Float32Array.from(numbers);
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  const feeds = { features: new ort.Tensor(type, data, [data.length / columns, Number(columns)]) };
  const results = await session.run(feeds);
  const shapes = Object.entries(results).map(([name, t]) => `${name} ${t.type} ${t.dims.join(' ')}`);
  for (const [name, tensor] of Object.entries(results))
    fs.writeFileSync(`${out}.${name}`, Array.from(tensor.data, String).join(' ') + '\n');
  fs.writeFileSync(`${out}.shapes`, shapes.join('\n') + '\n');
}

(async () => {
  for (const line of fs.readFileSync(0, 'utf8').trim().split('\n')) await run(line.split(' '));
})().catch((error) => {
  console.error(String(error.message || error));
  process.exit(1);
});
