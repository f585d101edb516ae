// Filters that ask for nothing stay out of the address.
const form = document.querySelector("form.filters");
form?.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!value || (name === "sort" && value === "oldest")) formData.delete(name);
});
