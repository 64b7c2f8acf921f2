-- The faces that are in pictures. Derived from artifacts, whose JSON may lie in blobs, which the catalogue never reads; but a
-- face keeps its id and its group when another model finds it at the same place.
CREATE TABLE face (
  id BYTEA NOT NULL PRIMARY KEY,
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  artifact_id BYTEA REFERENCES artifact (id) ON DELETE SET NULL, -- NULL while another takes its place
  area TEXT NOT NULL, -- left,top,width,height as shares of the picture: what claims about it are anchored to
  probability DOUBLE PRECISION NOT NULL,
  quality DOUBLE PRECISION NOT NULL, -- how well somebody can be known again by it, 0 to 1
  model TEXT NOT NULL, -- which took the faceprint
  numbers BYTEA NOT NULL, -- the faceprint, a byte with a sign for each number
  group_id BYTEA -- whom it is like, as machines gather faces; NULL until they have
);
CREATE INDEX face_by_asset ON face (asset_id);
CREATE INDEX face_by_artifact ON face (artifact_id);
CREATE INDEX face_to_gather ON face (id) WHERE group_id IS NULL;

-- What people say of faces, by what was said at once.
CREATE INDEX claim_about_faces ON claim (family_id, batch_id) WHERE subject_kind = 'face';
