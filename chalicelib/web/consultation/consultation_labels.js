// The words of consultation times.
export const MODES = { in_person: "In person", telehealth: "Video" };

export const STATE_LABELS = {
  none: "Not booked",
  asked: "Center asked for a time",
  held: "Time held",
  booked: "Booked",
  canceled: "Canceled",
  no_show: "No-show",
  completed: "Completed",
};

export const CANCEL_REASONS = [
  ["patient_cannot_attend", "The patient cannot attend"],
  ["patient_unwell", "The patient is unwell"],
  ["center_unavailable", "The center is not available"],
  ["new_time_needed", "Another time is needed"],
  ["not_needed", "The consultation is not needed now"],
  ["other", "Another reason"],
];

export const WEEKDAYS = [
  ["monday", "Mon"],
  ["tuesday", "Tue"],
  ["wednesday", "Wed"],
  ["thursday", "Thu"],
  ["friday", "Fri"],
  ["saturday", "Sat"],
  ["sunday", "Sun"],
];

export const PARTS_OF_DAY = [
  ["any", "Any"],
  ["morning", "Morning"],
  ["afternoon", "Afternoon"],
];
