-- Whose the faces of one picture are follows from the other faces of their groups, and not from all there are.
CREATE INDEX face_by_group ON face (group_id);
CREATE INDEX claim_of_group ON claim (value) WHERE kind = 'group';
