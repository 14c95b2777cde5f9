// A type of the web platform that the declarations of structured-headers name; Node's own types do not have it.
type BufferSource = ArrayBuffer | ArrayBufferView;
